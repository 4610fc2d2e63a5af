//! The tokens of the organisation: a deck of kinds dealt out again and again, and the victims of attacks.

use super::agents::Family;
use super::dice::Dice;
use super::lookalikes;
use super::place::Site;
use super::purposes::{
    AGENTS, BACKUP, BOARDS, CHECKS, EXTENSIONS, FEEDS, FULL, GCM, GIT_BOT, INFRA, PROVISION, Purpose, READER,
    RELEASE, SCRIPT,
};
use super::scenarios::{Attack, Scenario};
use super::tokens::{Edit, Ending, Habit, Pace, Token, Turns};
use super::world::World;
use crate::model::time::{DAY, HOUR, Micros, SECOND, Span};

/// 2026-03-10, days before new all-organisation tokens were blocked, in microseconds since 1970.
const LAST_GLOBAL: Micros = 20_522 * DAY;

/// A card of the deck: a purpose, and what is peculiar about this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Card {
    HeavyInfra,
    Reader,
    Provision,
    Script,
    NeverUsed,
    Backup,
    ReleasePair,
    FullGeneric,
    GlobalPair,
    Agents,
    Gcm,
    Rotation,
    SilentManage,
    ExpiringChecks,
    Extended,
    Young,
    Feeds,
    Extensions,
    GitBot,
    Twins,
    ExpiredInWindow,
    Migration,
    Monthly,
    NewClient,
    Governance,
    PartlyUsed,
    Unlisted,
    DualStack,
    LeakedReader,
    ShortLeaver,
    Returner,
    NewProject,
    Relocated,
    NewLaptop,
    FreshForPipeline,
    LeaverRotated,
    InFlight,
    BulkImport,
    Quarterly,
    Toolkit,
    ReplacedAfterLeak,
    OnCall,
    Trip,
}

const DECK: &[Card] = &[
    Card::HeavyInfra,
    Card::Reader,
    Card::Provision,
    Card::NeverUsed,
    Card::PartlyUsed,
    Card::FullGeneric,
    Card::GlobalPair,
    Card::Rotation,
    Card::SilentManage,
    Card::ExpiringChecks,
    Card::Extended,
    Card::Young,
    Card::Gcm,
    Card::Agents,
    Card::Backup,
    Card::ReleasePair,
    Card::Script,
    Card::Unlisted,
    Card::Feeds,
    Card::Extensions,
    Card::GitBot,
    Card::Twins,
    Card::ExpiredInWindow,
    Card::Migration,
    Card::Monthly,
    Card::NewClient,
    Card::Governance,
    Card::DualStack,
    Card::LeakedReader,
    Card::Gcm,
    Card::Script,
    Card::Reader,
    Card::ShortLeaver,
    Card::Script,
    Card::Gcm,
    Card::Returner,
    Card::HeavyInfra,
    Card::Reader,
    Card::NewProject,
    Card::Relocated,
    Card::NewLaptop,
    Card::FreshForPipeline,
    Card::LeaverRotated,
    Card::InFlight,
    Card::BulkImport,
    Card::Quarterly,
    Card::Toolkit,
    Card::ReplacedAfterLeak,
    Card::OnCall,
    Card::Trip,
];

/// Builds every token, and says which of them an attack will meet.
pub(super) fn populate(world: &mut World, tokens: usize) -> (Vec<Token>, Vec<Attack>) {
    let mut all = Vec::with_capacity(tokens);
    let attacks = victims(world, tokens, &mut all);
    let mut round = 0;
    while all.len() < tokens {
        let card = DECK[round % DECK.len()];
        let room = tokens - all.len();
        deal(world, card, round, room, &mut all);
        round += 1;
    }
    (all, attacks)
}

/// How many tokens are attacked, and each in which way.
fn victims(world: &mut World, tokens: usize, all: &mut Vec<Token>) -> Vec<Attack> {
    let kinds: Vec<Scenario> =
        Scenario::ALL.iter().copied().filter(|s| world.days >= 75 || !s.needs_long_silence()).collect();
    let count = (tokens / 12).max(kinds.len().min(tokens / 3));
    let mut attacks = Vec::new();
    for n in 0..count {
        let scenario = kinds[n % kinds.len()];
        let mut dice = Dice::new(world.seed, "victim", n);
        let mut time = world.at(0.55 + 0.4 * dice.unit());
        if scenario == Scenario::LowAndSlow {
            // It has to be over before the log is.
            time = time.min(world.end - 12 * DAY);
        }
        let purpose = match scenario {
            Scenario::Stolen | Scenario::VariableGroups => &INFRA,
            Scenario::StreamDisabled | Scenario::StreamDeleted => &BACKUP,
            Scenario::PolicyBypass | Scenario::UsedAfterRevoke | Scenario::Browser => &SCRIPT,
            Scenario::DormantThenActive | Scenario::AttackTool => &CHECKS,
            Scenario::Burst => &BOARDS,
            Scenario::MintedBeforeDeparture
            | Scenario::Escalation
            | Scenario::ServiceConnections
            | Scenario::Permissions
            | Scenario::Leaked
            | Scenario::BreadthOfProjects
            | Scenario::MintedAtNight
            | Scenario::PlantedAgent
            | Scenario::PlantedExtension => &FULL,
            _ => &SCRIPT,
        };
        let owner =
            *dice.pick(&if matches!(purpose.pace, Pace::Office) { world.humans() } else { world.machines() });
        let mut token = make(world, purpose, owner, &mut dice);
        token.habit.site = Site::Server(world.networks.fresh(), 31);
        // Steady enough that what follows stands out for anyone who looks.
        token.habit.per_day = token.habit.per_day.max(1.1);
        token.habit.projects.truncate(2);
        token.valid_from = token.valid_from.min(world.start - 20 * DAY);
        token.valid_to = token.valid_to.max(world.end + 40 * DAY);
        let time = shape_victim(world, scenario, time, &mut token, &mut dice);
        if scenario == Scenario::NameTaken {
            take_name(world, all, time, n, &mut token);
        }
        attacks.push(Attack { scenario, token: all.len(), time, number: n });
        all.push(token);
    }
    attacks
}

/// Gives a victim what its scenario asks for; returns when it happens.
fn shape_victim(
    world: &mut World,
    scenario: Scenario,
    time: Micros,
    token: &mut Token,
    dice: &mut Dice,
) -> Micros {
    match scenario {
        Scenario::MintedAtNight => {
            // Between one and four in the morning where the owner lives.
            let night = time.div_euclid(DAY) * DAY + dice.between(60, 240) * 60 * SECOND;
            let time = night - world.people[token.owner].hours_from_utc * HOUR;
            token.valid_from = time - dice.between(4, 40) * 60 * SECOND;
            token.valid_to = token.valid_from + 364 * DAY;
            token.habit.per_day = 0.0;
            let browser = super::agents::user_agent(Family::Browser, dice.below(30), 3);
            token.made_from = Some((world.networks.fresh().address(77), browser));
            return time;
        }
        Scenario::UsedAfterRevoke => {
            token.ending = Ending::Revoked(time - dice.between(9, 60) * HOUR);
        }
        Scenario::UsedAfterExpiry => {
            token.valid_to = time - dice.between(9, 60) * HOUR;
            token.ending = Ending::Expired;
        }
        Scenario::UsedAfterOwnerLeft => {
            token.owner = leaver(world, time - dice.between(30, 90) * HOUR, None, dice);
            token.habit.at_work.to = time - 100 * HOUR;
        }
        Scenario::DormantThenActive => {
            token.habit.at_work.to = world.start + 14 * DAY;
            token.habit.per_day = 2.2;
        }
        Scenario::StreamDisabled | Scenario::StreamDeleted => token.scopes = vec!["vso.auditstreams_manage"],
        Scenario::CreatedElsewhere => {
            token.valid_from = time - dice.between(3, 25) * 60 * SECOND;
            token.valid_to = token.valid_from + 80 * DAY;
            token.habit.per_day = 0.0;
            let browser = super::agents::user_agent(Family::Browser, dice.below(30), 2);
            token.made_from = Some((world.networks.fresh().address(9), browser));
        }
        Scenario::MintedBeforeDeparture => {
            token.owner = leaver(world, time, None, dice);
            token.valid_from = time - dice.between(20, 120) * HOUR;
            token.valid_to = token.valid_from + 364 * DAY;
            token.habit.per_day = 0.0;
        }
        Scenario::ScopesWidened | Scenario::ReachWidened | Scenario::EndMoved => {
            // Created in the log, so that it shows the grant before the change.
            token.valid_from = world.at(0.05 + 0.15 * dice.unit());
            token.valid_to = world.end + 20 * DAY;
            let mut edit = Edit {
                at: time - 4 * 60 * SECOND,
                name: token.name.clone(),
                scopes: token.scopes.clone(),
                all_orgs: false,
                valid_to: token.valid_to,
            };
            match scenario {
                Scenario::ScopesWidened => token.scopes.extend(WIDER),
                Scenario::ReachWidened => token.all_orgs = true,
                _ => {
                    edit.valid_to = time + dice.between(2, 12) * DAY;
                    token.valid_to = time + dice.between(150, 360) * DAY;
                }
            }
            token.edited = Some(edit);
        }
        Scenario::ClassContradicts => {
            token.class_says = Some(*dice.pick(&["PAT_Unscoped", "PAT_Global"]));
        }
        _ => {}
    }
    time
}

/// Scopes that an edit adds; their silence says nothing, so that no other label depends on it.
const WIDER: [&str; 2] = ["vso.agentpools_manage", "vso.packaging_manage"];

/// Gives a token the name of another owner's token: one in two is created with it, the others are renamed.
fn take_name(world: &World, all: &[Token], time: Micros, number: usize, token: &mut Token) {
    let donor = all.iter().rev().find(|other| {
        other.owner != token.owner
            && other.valid_from < world.start
            && other.ending == Ending::None
            && world.people[other.owner].left.is_none()
    });
    let Some(name) = donor.and_then(|d| d.name.clone()) else { return };
    token.valid_to = world.end + 60 * DAY;
    if number.is_multiple_of(2) {
        token.valid_from = time - 9 * 60 * SECOND;
    } else {
        token.valid_from = world.at(0.1);
        token.edited = Some(Edit {
            at: time - 9 * 60 * SECOND,
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            all_orgs: token.all_orgs,
            valid_to: token.valid_to,
        });
    }
    token.name = Some(name);
}

/// Chooses a person who leaves at `time`; not one of the first, who are needed as administrators.
pub(super) fn leaver(world: &mut World, time: Micros, back: Option<Micros>, dice: &mut Dice) -> usize {
    let candidates: Vec<usize> =
        world.humans().into_iter().filter(|at| *at > 2 && world.people[*at].left.is_none()).collect();
    let chosen = candidates[dice.below(candidates.len())];
    world.people[chosen].left = Some((time, back));
    chosen
}

/// Makes a token of a purpose with chance deciding the rest.
fn make(world: &mut World, purpose: &Purpose, owner: usize, dice: &mut Dice) -> Token {
    let life = DAY * *dice.pick(&[60_i64, 90, 90, 180, 365, 365]);
    // Somewhere in its life at the end of the window, and not about to end.
    let left = (life as f64 * (0.3 + 0.6 * dice.unit())) as Micros;
    let valid_to = world.end + left.max(25 * DAY);
    let valid_from = valid_to - life + dice.between(0, 9 * HOUR);
    let machine = matches!(purpose.pace, Pace::AllDay | Pace::Nightly(_));
    let person = &world.people[owner];
    let site = if machine {
        match dice.below(4) {
            0 | 1 => Site::Hosted,
            2 => Site::Server(world.networks.fresh(), 12),
            _ => Site::Pair(world.networks.fresh(), world.networks.fresh()),
        }
    } else {
        person.site.clone()
    };
    let mut projects: Vec<usize> = (0..world.projects.len()).collect();
    dice.shuffle(&mut projects);
    projects.truncate(1 + dice.below(3));
    let base = *dice.pick(purpose.names);
    let name = if base == "Git: " {
        format!("Git: https://dev.azure.com/{} on LT-{:04}", world.org, dice.below(9_999))
    } else {
        format!("{base} {:03}", dice.below(1_000))
    };
    let day = world.first_day;
    let upgrades = (0..dice.below(3)).map(|_| day + dice.between(3, i64::from(world.days)) as i32).collect();
    // Few tokens make most of the events: one in eight works an order of magnitude harder.
    let weight = match dice.below(8) {
        0 if machine => 9.0,
        0..=2 => 1.6,
        _ => 0.8,
    };
    Token {
        id: dice.guid(),
        name: Some(name),
        owner,
        scopes: purpose.scopes.to_vec(),
        all_orgs: false,
        valid_from,
        valid_to,
        extended: None,
        edited: None,
        class_says: None,
        ending: Ending::None,
        habit: Habit {
            per_day: purpose.per_day * weight,
            run: purpose.run,
            actions: purpose.actions.to_vec(),
            projects,
            client: purpose.client,
            machine: dice.below(40),
            upgrades,
            new_client: None,
            site,
            moved: None,
            pace: purpose.pace,
            at_work: Span { from: world.start - DAY, to: world.end + DAY },
            turns: Turns::default(),
        },
        listed: true,
        ambiguous: false,
        made_from: None,
    }
}

/// Deals one card: one token, or two that belong together.
fn deal(world: &mut World, card: Card, round: usize, room: usize, all: &mut Vec<Token>) {
    let mut dice = Dice::new(world.seed, "card", round);
    let purpose = match card {
        Card::HeavyInfra | Card::Migration => &INFRA,
        Card::Reader | Card::LeakedReader => &READER,
        Card::Provision | Card::SilentManage => &PROVISION,
        Card::Backup => &BACKUP,
        Card::FreshForPipeline => &INFRA,
        Card::ReleasePair | Card::DualStack | Card::Relocated => &RELEASE,
        Card::FullGeneric | Card::GlobalPair => &FULL,
        Card::Agents => &AGENTS,
        Card::Gcm => &GCM,
        Card::ExpiringChecks | Card::Monthly | Card::NewClient | Card::Governance | Card::Rotation => &CHECKS,
        Card::Extended | Card::ExpiredInWindow | Card::BulkImport | Card::Quarterly => &BOARDS,
        Card::Feeds => &FEEDS,
        Card::Extensions | Card::PartlyUsed => &EXTENSIONS,
        Card::GitBot => &GIT_BOT,
        _ => &SCRIPT,
    };
    let owners = if matches!(purpose.pace, Pace::Office) { world.humans() } else { world.machines() };
    let mut owner = *dice.pick(&owners);
    while world.people[owner].left.is_some() {
        owner = owners[(owners.iter().position(|at| *at == owner).unwrap_or(0) + 1) % owners.len()];
    }
    let mut token = make(world, purpose, owner, &mut dice);
    let mut second = None;
    match card {
        Card::HeavyInfra => (token.habit.per_day, token.habit.site) = (7.0 + 6.0 * dice.unit(), Site::Hosted),
        Card::NeverUsed => {
            token.valid_from = world.at(0.2 + 0.25 * dice.unit());
            token.valid_to = token.valid_from + 180 * DAY;
            token.habit.per_day = 0.0;
        }
        Card::PartlyUsed => {
            token.scopes =
                vec!["vso.extension_manage", "vso.serviceendpoint_manage", "vso.variablegroups_manage"];
            token.habit.per_day = 0.5;
            token.valid_from = token.valid_from.min(world.start - 6 * DAY);
        }
        Card::ReleasePair => token.habit.site = Site::Pair(world.networks.fresh(), world.networks.fresh()),
        Card::DualStack => {
            token.habit.site = Site::DualStack(world.networks.fresh(), world.networks.fresh_v6())
        }
        Card::FullGeneric => {
            token.name = [Some("test"), Some("token"), Some("new pat"), None][round % 4].map(str::to_owned)
        }
        Card::GlobalPair => {
            token.all_orgs = true;
            token.habit.per_day = 0.5;
            // Tokens for all organisations could be made until the middle of March 2026.
            token.valid_from = token.valid_from.min(LAST_GLOBAL).min(world.start - 40 * DAY);
            if round < DECK.len() && room > 1 {
                // A pair that the cut mechanism cannot tell apart; chance would not make one.
                let mut twin = make(world, purpose, owner, &mut dice);
                twin.id = format!("{}{}", &token.id[..28], &twin.id[28..]);
                (twin.all_orgs, twin.ambiguous, token.ambiguous) = (true, true, true);
                twin.habit.per_day = 0.0;
                twin.valid_from = twin.valid_from.min(token.valid_from);
                second = Some(twin);
            }
        }
        Card::Rotation if room > 1 => {
            token.habit.per_day = 0.9;
            let turn = world.at(0.4 + 0.3 * dice.unit());
            let mut next = token.clone();
            next.id = dice.guid();
            (next.valid_from, next.valid_to) = (turn, turn + 90 * DAY);
            next.habit.at_work.from = turn + 2 * HOUR;
            token.habit.at_work.to = turn + 3 * HOUR;
            (token.valid_from, token.valid_to) = (turn - 85 * DAY, turn + 4 * DAY);
            token.ending = Ending::Revoked(turn + dice.between(20, 60) * HOUR);
            second = Some(next);
        }
        Card::SilentManage => {
            token.habit.per_day = 0.0;
            token.valid_from = token.valid_from.min(world.start - 30 * DAY);
        }
        Card::Reader => token.valid_from = token.valid_from.min(world.start - 9 * DAY),
        Card::ExpiringChecks => {
            token.habit.per_day = 1.2;
            let life = token.valid_to - token.valid_from;
            token.valid_to = world.end + dice.between(30, 140) * HOUR;
            token.valid_from = token.valid_to - life;
        }
        Card::Extended => {
            let old = world.at(0.5 + 0.3 * dice.unit());
            token.valid_from = old - 90 * DAY;
            token.valid_to = old + 120 * DAY;
            token.extended = Some((old - dice.between(20, 140) * HOUR, old));
        }
        Card::Young => {
            token.valid_from = world.end - dice.between(8, 20) * DAY;
            token.valid_to = token.valid_from + 60 * DAY;
            token.habit.per_day = 0.0;
        }
        Card::Twins if room > 1 => {
            let mut twin = token.clone();
            twin.id = dice.guid();
            twin.valid_from += 11 * DAY;
            twin.habit.at_work.to = world.end - 12 * DAY;
            second = Some(twin);
        }
        Card::ExpiredInWindow => {
            token.valid_to = world.at(0.5 + 0.3 * dice.unit());
            token.valid_from = token.valid_to - 90 * DAY;
            token.ending = Ending::Expired;
        }
        Card::Migration => {
            token.habit.site = Site::Server(world.networks.fresh(), 5);
            token.habit.moved =
                Some((world.at(0.4 + 0.4 * dice.unit()), Site::Server(world.networks.fresh(), 6)));
        }
        Card::Monthly => (token.habit.pace, token.habit.per_day) = (Pace::Monthly, 0.2),
        Card::Governance => {
            (token.habit.pace, token.habit.per_day) = (Pace::Weekly(2), 3.0);
            token.habit.projects = (0..world.projects.len()).collect();
        }
        Card::NewClient => {
            token.habit.new_client = Some((world.at(0.4 + 0.4 * dice.unit()), Family::PythonSdk));
        }
        Card::Script if round.is_multiple_of(3) => token.habit.client = Family::WindowsPowerShell,
        Card::Unlisted => token.listed = false,
        Card::LeakedReader => {
            let at = world.at(0.3 + 0.5 * dice.unit());
            // Leaks are rare; most readers that end are simply revoked.
            let leaked = (round / DECK.len()).is_multiple_of(5);
            token.ending = if leaked { Ending::LeakedAndClosed(at) } else { Ending::Revoked(at) };
        }
        Card::ShortLeaver => {
            // Somebody leaves in good order: narrow token, work ends before the day.
            let day = world.at(0.6 + 0.3 * dice.unit());
            token.owner = leaver(world, day, None, &mut dice);
            token.habit.at_work.to = day - 3 * HOUR;
        }
        Card::Returner => {
            // A licence taken away by mistake and given back; the work stops and goes on.
            let day = world.at(0.5 + 0.3 * dice.unit());
            token.owner = leaver(world, day, Some(day + 26 * HOUR), &mut dice);
            token.habit.at_work.from = day + 27 * HOUR;
        }
        other => second = lookalikes::shape(world, other, room, &mut token, &mut dice),
    }
    all.push(token);
    all.extend(second);
}
