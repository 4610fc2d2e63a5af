//! Writes audit events by the million, for the benchmarks: always the same ones for the same options.
//!
//! In: how many, which part of them, and a shape. Out: NDJSON, query API pages or a portal CSV on stdout, about
//! 1.2 kB an event. Event `i` is a function of its number alone, so that parts can be made apart and a copy of an
//! event is that event again. The standard library only: `rustc -O tests/benches/events.rs` builds it in seconds.
//!
//! By default tokens are skewed (a hundredth of them makes a third of the events) and have habits: a few actions,
//! mostly one network and one project. With `--uniform` they are alike and do anything from anywhere, which no
//! organisation does: the least that derived tables can shrink, and the most that detections can find.
//!
//! `simulate` makes organisations to judge verdicts by; this makes bytes to measure speed by.

use std::io::{BufWriter, Write as _};

/// Actions with their share in a thousand, area, category and the kind of their data.
const ACTIONS: [(&str, u32, &str, &str, Kind); 24] = [
    ("AuditLog.AccessLog", 60, "Auditing", "access", Kind::Empty),
    ("Library.ServiceConnectionExecuted", 170, "Library", "execute", Kind::Connection),
    ("CheckSuite.Completed", 90, "Checks", "modify", Kind::Pipeline),
    ("Pipelines.RunRetained", 70, "Pipelines", "modify", Kind::Pipeline),
    ("Pipelines.DeploymentJobCompleted", 100, "Pipelines", "modify", Kind::Pipeline),
    ("Release.DeploymentCompleted", 110, "Release", "modify", Kind::Release),
    ("Git.RefUpdatePoliciesBypassed", 20, "Git", "modify", Kind::Repository),
    ("Git.RepositoryCreated", 10, "Git", "create", Kind::Repository),
    ("Git.RepositoryDefaultBranchChanged", 10, "Git", "modify", Kind::Repository),
    ("Policy.PolicyConfigModified", 35, "Policy", "modify", Kind::Repository),
    ("Pipelines.PipelineCreated", 15, "Pipelines", "create", Kind::Pipeline),
    ("Pipelines.PipelineModified", 40, "Pipelines", "modify", Kind::Pipeline),
    ("Pipelines.ResourceAuthorizedForPipeline", 25, "Pipelines", "modify", Kind::Pipeline),
    ("Release.ReleaseCreated", 45, "Release", "create", Kind::Release),
    ("Release.ApprovalCompleted", 30, "Release", "modify", Kind::Release),
    ("Library.VariableGroupModified", 20, "Library", "modify", Kind::Variables),
    ("Library.AgentAdded", 30, "Library", "create", Kind::Agent),
    ("Library.AgentDeleted", 30, "Library", "remove", Kind::Agent),
    ("Security.ModifyPermission", 20, "Security", "modify", Kind::Permission),
    ("Group.UpdateGroupMembership.Add", 25, "Group", "modify", Kind::Group),
    ("Group.UpdateGroupMembership.Remove", 15, "Group", "modify", Kind::Group),
    ("Licensing.Modified", 10, "Licensing", "modify", Kind::Group),
    ("Artifacts.Feed.Project.Modify", 10, "Artifacts", "modify", Kind::Repository),
    ("Extension.Installed", 10, "Extension", "create", Kind::Agent),
];

#[derive(Clone, Copy)]
enum Kind {
    Empty,
    Connection,
    Pipeline,
    Release,
    Repository,
    Variables,
    Agent,
    Permission,
    Group,
}

const AGENTS: [&str; 8] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0",
    "VSServices/19.255.35826.1 (NetStandard; Linux 5.15.0-1092-azure #101-Ubuntu SMP) vstest.console",
    "python-requests/2.32.5",
    "azure-cli/2.77.0 (pip) azsdk-python-core/1.35.0 Python/3.12.10 azdevops/1.0.2",
    "Go-http-client/2.0 terraform-provider-azuredevops/1.11.2",
    "curl/8.16.0",
    "VSTS_7f0e1c52-2d5b-49a5-8d0e-6c2f4f6f2f11_build_412_0 PowerShell/7.5.3 (Microsoft Windows 10.0.20348; en-US)",
    "git/2.51.0 (Azure Pipelines) azure-pipelines-agent/4.261.0",
];

/// Mixes a number thoroughly (the finaliser of `SplitMix64`), so that numbers in sequence look drawn.
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// A GUID for thing `n` of a kind.
fn guid(kind: u64, n: u64) -> String {
    let (a, b) = (mix(kind << 48 ^ n), mix(mix(kind << 48 ^ n)));
    format!(
        "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

struct Options {
    events: u64,
    from: u64,
    to: u64,
    days: u64,
    tokens: u64,
    uniform: bool,
    copies: u64,
    shuffle: bool,
    shape: String,
}

/// One event, ready to be written in any shape.
struct Event {
    id: String,
    correlation: String,
    activity: String,
    user: u64,
    mechanism: String,
    time: u64,
    action: usize,
    address: String,
    agent: &'static str,
    project: u64,
    details: String,
    data: String,
}

const PROJECTS: u64 = 120;
/// 2026-06-01T00:00:00Z, in days since 1970.
const FIRST_DAY: u64 = 20_605;

/// An action by its share.
fn drawn(dice: u64) -> usize {
    let mut share = (dice % 1000) as u32;
    ACTIONS.iter().position(|a| share.checked_sub(a.1).map(|rest| share = rest).is_none()).unwrap_or(0)
}

/// An action of a token that does what it always does: three actions are its own, drawn by their share, and one
/// event in four hundred is something else.
fn habit(token: u64, dice: u64) -> usize {
    if dice.is_multiple_of(400) {
        return drawn(dice / 400);
    }
    let own = match dice / 400 % 20 {
        0..=13 => 0,
        14..=18 => 1,
        _ => 2,
    };
    drawn(mix(token ^ own << 44))
}

/// One of the `n` places that a token has: any of them alike, or by habit mostly the first.
fn among(o: &Options, dice: u64, n: u64) -> u64 {
    if o.uniform || dice.is_multiple_of(16) { dice / 16 % n } else { 0 }
}

fn event(i: u64, o: &Options) -> Event {
    let dice = |k: u64| mix(i.wrapping_mul(31) ^ k << 56);
    // Cascades: one group of four numbers in five shares the correlation of its first event, and its actor.
    let group = i / 4;
    let cascade = mix(group ^ 7 << 50).is_multiple_of(5);
    let who = if cascade { mix(group ^ 3 << 50) } else { dice(1) };
    let id = guid(1, i);
    let correlation = if cascade {
        guid(1, group * 4)
    } else if dice(2).is_multiple_of(10) {
        guid(9, i)
    } else {
        id.clone()
    };
    let part = (who >> 11) as f64 / (1_u64 << 53) as f64;
    let token = if o.uniform { who % o.tokens } else { (part.powi(4) * o.tokens as f64) as u64 };
    let user = token / 3;
    let mechanism = match token % 10 {
        0..=3 => format!("PAT authorizationId: {}", guid(2, token)),
        4 | 5 => format!("PAT_Unscoped authorizationId: {}", &guid(2, token)[..34]),
        6 => format!("SessionToken_Unscoped authorizationId: {}", &guid(2, token)[..25]),
        7 => "UserAuthToken".to_owned(),
        8 => "AAD_Cookie".to_owned(),
        _ => "S2S_ServicePrincipal".to_owned(),
    };
    let action = if o.uniform { drawn(dice(3)) } else { habit(token, dice(3)) };
    let span = o.days * 86_400_000_000;
    let time = FIRST_DAY * 86_400_000_000
        + (i as u128 * span as u128 / o.events as u128) as u64
        + dice(4) % 1_000_000;
    let agent = AGENTS[(mix(token ^ 5 << 50) % 8) as usize];
    let place = mix(token ^ among(o, dice(5), 3) << 40);
    let project = mix(token ^ among(o, dice(6), 4) << 40) % PROJECTS;
    let item = dice(7) % 12;
    let (details, data) = content(ACTIONS[action].4, i, project, item, user);
    Event {
        id,
        correlation,
        activity: guid(8, i / 2),
        user,
        mechanism,
        time,
        action,
        address: format!("20.{}.{}.{}", place % 64, place >> 8 & 255, place >> 16 & 255),
        agent,
        project,
        details,
        data,
    }
}

/// Details and data of a kind: what is drawn anew for every event is about half of it, as in real logs.
fn content(kind: Kind, i: u64, project: u64, item: u64, user: u64) -> (String, String) {
    let (pid, thing, fresh) = (guid(3, project), guid(4, project * 12 + item), guid(5, i));
    let run = 100_000 + i / 3;
    match kind {
        Kind::Empty => ("Accessed the audit log".to_owned(), "{}".to_owned()),
        Kind::Connection => (
            format!(
                "Executed service connection \"azure-{item:02}-production\" in pipeline run {run} of project Project {project:03}"
            ),
            format!(
                r#"{{"ConnectionId":"{thing}","ConnectionName":"azure-{item:02}-production","ConnectionType":"azurerm","DefinitionId":"{}","RunId":"{run}","PipelineName":"service-{item:02}-main","ProjectId":"{pid}","ProjectName":"Project {project:03}","PlanId":"{fresh}","TimelineId":"{}"}}"#,
                project * 12 + item,
                guid(6, i)
            ),
        ),
        Kind::Pipeline => (
            format!(
                "Run {run} of pipeline service-{item:02}-main in project Project {project:03} was completed or changed"
            ),
            format!(
                r#"{{"PipelineId":"{}","PipelineName":"service-{item:02}-main","RunId":"{run}","RequestedForId":"{}","StageName":"Production {}","EnvironmentName":"weu-{item:02}","CheckSuiteId":"{fresh}","ProjectId":"{pid}","ProjectName":"Project {project:03}"}}"#,
                project * 12 + item,
                guid(7, user),
                item % 3
            ),
        ),
        Kind::Release => (
            format!(
                "Deployment {run} of release Release-{} to stage Production in project Project {project:03} finished",
                run / 7
            ),
            format!(
                r#"{{"ReleaseId":"{}","ReleaseName":"Release-{}","StageName":"Production","DeploymentResult":"Succeeded","PipelineId":"{}","PipelineName":"service-{item:02}-release","DeploymentId":"{fresh}","ProjectId":"{pid}","ProjectName":"Project {project:03}"}}"#,
                run / 7,
                run / 7,
                project * 12 + item
            ),
        ),
        Kind::Repository => (
            format!("Git repository \"repository-{item:02}\" was changed in project Project {project:03}"),
            format!(
                r#"{{"RepoId":"{thing}","RepoName":"repository-{item:02}","FriendlyName":"refs/heads/feature/{}","DefaultBranch":"refs/heads/main","PushId":"{run}","CommitId":"{}{}","PolicyTypeId":"{fresh}","PolicyTypeDisplayName":"Minimum number of reviewers","ProjectId":"{pid}","ProjectName":"Project {project:03}"}}"#,
                i % 900,
                &fresh[..8],
                &thing[24..]
            ),
        ),
        Kind::Variables => (
            format!("Variable group \"settings-{item:02}\" was modified in project Project {project:03}"),
            format!(
                r#"{{"VariableGroupId":"{}","VariableGroupName":"settings-{item:02}","Type":"Vsts","ProjectId":"{pid}","ProjectName":"Project {project:03}","CallerProcedure":"Task.prc_UpdateVariableGroup","RequestId":"{fresh}","Variables":[{{"name":"region","isSecret":false,"value":null}},{{"name":"image-tag-{}","isSecret":false,"value":null}}]}}"#,
                project * 12 + item,
                i % 50
            ),
        ),
        Kind::Agent => (
            format!("Agent build-{:04} was added to or removed from pool Linux {item:02}", i % 2000),
            format!(
                r#"{{"AgentPoolId":"{item}","AgentPoolName":"Linux {item:02}","AgentName":"build-{:04}","AgentId":"{}","OsDescription":"Ubuntu 24.04.3 LTS","AgentVersion":"4.261.0","AgentCloudId":"1","RequestId":"{fresh}"}}"#,
                i % 2000,
                40_000 + i % 9000
            ),
        ),
        Kind::Permission => (
            format!("Permission \"Contribute\" was set to Allow for [Project {project:03}]\\Contributors"),
            format!(
                r#"{{"NamespaceId":"2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87","NamespaceName":"Git Repositories","Token":"repoV2/{pid}/{thing}","SubjectDescriptor":"Microsoft.TeamFoundation.Identity;S-1-9-{}","SubjectDisplayName":"[Project {project:03}]\\Contributors","RequestId":"{fresh}","EventSummary":[{{"permissionNames":"Contribute","change":"Allow","subjectDisplayName":"[Project {project:03}]\\Contributors"}}]}}"#,
                mix(i) % 1_000_000_000
            ),
        ),
        Kind::Group => (
            format!(
                "Member User {user:04} was added to or removed from group [Project {project:03}]\\Readers"
            ),
            format!(
                r#"{{"CallerProcedure":"prc_UpdateGroupMembership","GroupId":"{thing}","GroupName":"[Project {project:03}]\\Readers","MemberId":"{}","MemberDisplayName":"User {user:04}","Idempotent":"True","Incremental":"True","RequestId":"{fresh}","Updates":[{{"GroupId":"{thing}","MemberId":"{}","Active":true}}]}}"#,
                guid(7, user),
                guid(7, user)
            ),
        ),
    }
}

/// `2026-06-01T10:00:00.1234567`, from microseconds since 1970 (Howard Hinnant's calendar).
fn stamp(time: u64) -> String {
    let (day, rest) = (time / 86_400_000_000 + 719_468, time % 86_400_000_000);
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, date) =
        (if shifted < 10 { shifted + 3 } else { shifted - 9 }, of_year - (153 * shifted + 2) / 5 + 1);
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let s = rest / 1_000_000;
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}.{:06}{}",
        s / 3600,
        s / 60 % 60,
        s % 60,
        rest % 1_000_000,
        time % 10
    )
}

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

fn json(e: &Event, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (action, _, area, category, _) = ACTIONS[e.action];
    let ticks = 621_355_968_000_000_000 + e.time * 10 + e.time % 10;
    let details = e.details.replace('\\', "\\\\").replace('"', "\\\"");
    let (cuid, user, display) = (guid(10, e.user), guid(7, e.user), &category[..1].to_uppercase());
    write!(
        out,
        r#"{{"id":"{};0000000d-0000-8888-8000-000000000000;{}","correlationId":"{}","activityId":"{}","actorCUID":"{cuid}","actorUserId":"{user}","actorClientId":"{ZERO}","actorUPN":"user{:04}@contoso-engineering.com","authenticationMechanism":"{}","timestamp":"{}+00:00","scopeType":"organization","scopeDisplayName":"contoso (Organization)","scopeId":"5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10","projectId":"{}","projectName":"Project {:03}","ipAddress":"{}","userAgent":"{}","actionId":"{action}","data":{},"details":"{}","area":"{area}","category":"{category}","categoryDisplayName":"{display}{}","actorDisplayName":"User {:04}"}}"#,
        3_155_378_975_999_999_999 - ticks,
        e.id,
        e.correlation,
        e.activity,
        e.user,
        e.mechanism,
        stamp(e.time),
        guid(3, e.project),
        e.project,
        e.address,
        e.agent,
        e.data,
        details,
        &category[1..],
        e.user,
    )
}

const CSV_HEAD: &str = "Id,CorrelationId,ActivityId,ActorCUID,ActorUserId,ActorClientId,ActorUPN,AuthenticationMechanism,Timestamp,ScopeType,ScopeDisplayName,ScopeId,ProjectId,ProjectName,IpAddress,UserAgent,ActionId,Data,Details,Area,Category,CategoryDisplayName,ActorDisplayName\n";

fn csv(e: &Event, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (action, _, area, category, _) = ACTIONS[e.action];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    writeln!(
        out,
        "{},{},{},{},{},{ZERO},user{:04}@contoso-engineering.com,{},{}Z,Organization,contoso,5b0d6f57-2f9e-4b0e-9c1e-1f4a3e3f7a10,{},Project {:03},{},{},{action},{},{},{area},{category},{category},User {:04}",
        e.id,
        e.correlation,
        e.activity,
        guid(10, e.user),
        guid(7, e.user),
        e.user,
        quoted(&e.mechanism),
        stamp(e.time),
        guid(3, e.project),
        e.project,
        e.address,
        quoted(e.agent),
        quoted(&e.data),
        quoted(&e.details),
        e.user,
    )
}

fn options() -> Result<Options, String> {
    let mut o = Options {
        events: 1_000_000,
        from: 0,
        to: u64::MAX,
        days: 90,
        tokens: 5_000,
        uniform: false,
        copies: 1,
        shuffle: false,
        shape: "ndjson".to_owned(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        if name == "--uniform" || name == "--shuffle" {
            *(if name == "--uniform" { &mut o.uniform } else { &mut o.shuffle }) = true;
            continue;
        }
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        if name == "--shape" {
            o.shape = value;
            continue;
        }
        let number = value.parse::<u64>().map_err(|e| format!("{name} {value}: {e}"))?;
        *(match name.as_str() {
            "--events" => &mut o.events,
            "--from" => &mut o.from,
            "--to" => &mut o.to,
            "--days" => &mut o.days,
            "--tokens" => &mut o.tokens,
            "--copies" => &mut o.copies,
            _ => {
                return Err(format!(
                    "{name} is unknown; known: --events --from --to --days --tokens --copies (in a hundred) --uniform --shuffle --shape ndjson|page|csv"
                ));
            }
        }) = number;
    }
    Ok(o)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let o = options()?;
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut line = Vec::new();
    match o.shape.as_str() {
        "csv" => out.write_all(CSV_HEAD.as_bytes())?,
        "page" => out.write_all(b"{\"decoratedAuditLogEntries\":[")?,
        _ => {}
    }
    let to = o.to.min(o.events);
    for i in o.from..to {
        // A copy stands in for an event now and then; coprime steps shuffle without a table.
        let at = if o.shuffle { (u128::from(i) * 7_368_787 % u128::from(o.events)) as u64 } else { i };
        let at =
            if mix(at ^ 11 << 50) % 100 < o.copies { at.saturating_sub(1 + mix(at) % 5_000) } else { at };
        line.clear();
        if o.shape == "csv" {
            csv(&event(at, &o), &mut line)?;
        } else {
            json(&event(at, &o), &mut line)?;
            line.extend_from_slice(match o.shape.as_str() {
                "page" if i + 1 < to => b",",
                "page" => b"],\"continuationToken\":\"0\",\"hasMore\":false}",
                _ => b"\n",
            });
        }
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok(())
}
