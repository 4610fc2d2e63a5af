//! Every table and column that SQL sees: name, type and one line of meaning, here and nowhere else.
//!
//! In: nothing. Out: descriptions that the engine checks tables against, that the lint checks queries
//! against, and that `query --tables` prints.

use crate::model::policy::Policy;
use std::sync::LazyLock;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// True or false.
    Bool,
    /// 64-bit integer.
    Int,
    /// 64-bit float.
    Float,
    /// Text; empty text is null.
    Text,
    /// Instant in UTC, microseconds.
    Time,
    /// UTC day.
    Date,
}

impl Kind {
    /// The SQL name of the type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMP",
            Self::Date => "DATE",
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// One line of meaning.
    pub meaning: &'static str,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDef {
    /// Name.
    pub name: &'static str,
    /// One line of meaning.
    pub meaning: &'static str,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
}

impl TableDef {
    /// Looks a column up.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnDef> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// Returns every table, in the order of the documentation.
#[must_use]
pub fn tables() -> &'static [TableDef] {
    static TABLES: LazyLock<Vec<TableDef>> = LazyLock::new(|| {
        let mut all: Vec<TableDef> =
            STORED.iter().map(|(name, meaning, columns)| def(name, meaning, columns)).collect();
        all.extend(super::views::VIEWS.iter().map(|v| def(v.name, v.meaning, v.columns)));
        all.push(policy_table());
        all
    });
    &TABLES
}

/// Looks a table up, those of the lake's own use included.
#[must_use]
pub fn table(name: &str) -> Option<&'static TableDef> {
    static OWN: LazyLock<Vec<TableDef>> =
        LazyLock::new(|| FOLDS.iter().map(|(name, meaning, columns)| def(name, meaning, columns)).collect());
    tables().iter().chain(OWN.iter()).find(|t| t.name == name)
}

/// Name, type and meaning of a column as the lists below write it.
pub(super) type Line = (&'static str, Kind, &'static str);

fn def(name: &'static str, meaning: &'static str, columns: &[Line]) -> TableDef {
    let columns = columns.iter().map(|&(name, kind, meaning)| ColumnDef { name, kind, meaning }).collect();
    TableDef { name, meaning, columns }
}

/// The policy table follows [`Policy`]: a field added there is a column here.
fn policy_table() -> TableDef {
    let mut columns = vec![
        ColumnDef { name: "as_of", kind: Time, meaning: "the instant that the run stands at" },
        ColumnDef { name: "window_from", kind: Time, meaning: "first instant of the window" },
        ColumnDef { name: "window_days", kind: Int, meaning: "length of the window in days" },
    ];
    if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(Policy::default()) {
        for (name, value) in fields {
            let kind = match value {
                serde_json::Value::Bool(_) => Bool,
                serde_json::Value::Number(n) if n.is_f64() => Float,
                serde_json::Value::Number(_) => Int,
                _ => Text,
            };
            // The table is built once for the life of the program.
            let name: &'static str = Box::leak(name.into_boxed_str());
            columns.push(ColumnDef { name, kind, meaning: "threshold of the configuration" });
        }
    }
    TableDef { name: "policy", meaning: "One row: as_of, the window and every threshold.", columns }
}

use Kind::{Bool, Date, Float, Int, Text, Time};

const STORED: &[(&str, &str, &[Line])] = &[
    (
        "events",
        "Every audit event, one row each; large, so prefer `notable`, `activity`, `token_day` and `seen`.",
        &[
            ("org", Text, "organisation, lower case"),
            ("event_id", Text, "bare GUID of the event"),
            ("time", Time, "when it happened, UTC"),
            ("date", Date, "its UTC day"),
            ("action", Text, "action id such as `Git.RepositoryCreated`"),
            ("area", Text, "area as the event names it"),
            ("category", Text, "create, modify, remove, access, execute or unknown"),
            ("mechanism", Text, "authentication mechanism as it arrived"),
            ("class", Text, "mechanism without its id, such as `PAT_Unscoped`"),
            ("kind", Text, "pat, session, interactive, entra, service, ssh, none or other"),
            ("credential", Text, "visible part of the authorization id"),
            ("token_id", Text, "the token it is attributed to; null where it is not one token's"),
            ("actor", Text, "UPN in lower case, else name, else id"),
            ("actor_id", Text, "storage key of the actor"),
            ("actor_upn", Text, "UPN as it arrived"),
            ("actor_name", Text, "display name"),
            ("actor_cuid", Text, "stable id of a user"),
            ("actor_client_id", Text, "client id of a service principal"),
            ("service_actor", Bool, "whether the service itself acted"),
            ("correlation_id", Text, "groups a cascade; equals event_id for its origin"),
            ("activity_id", Text, "request id"),
            ("origin", Bool, "whether it began its cascade"),
            ("address", Text, "address as it arrived"),
            ("network", Text, "its /24 (IPv4) or /48 (IPv6)"),
            ("client", Text, "product behind the user agent"),
            ("user_agent", Text, "user agent as it arrived"),
            ("project_id", Text, "project id"),
            ("project", Text, "project name"),
            ("scope_type", Text, "organization, project, enterprise, deployment or unknown"),
            ("scope_id", Text, "id of the organisation or project"),
            ("details", Text, "rendered text"),
            ("data", Text, "the event's data as JSON text"),
            ("shapes", Int, "bits of the input shapes it arrived in"),
            ("folded", Int, "how many entries the service folded into this one; 1 when it did not"),
        ],
    ),
    (
        "activity",
        "Events counted per credential, actor, day, action, network, client and project.",
        &[
            ("org", Text, "organisation"),
            ("credential", Text, "visible part of the authorization id"),
            ("kind", Text, "pat, session, interactive, entra, service, ssh, none or other"),
            ("class", Text, "mechanism without its id"),
            ("token_id", Text, "the token it is attributed to"),
            ("actor", Text, "UPN in lower case, else name, else id"),
            ("actor_id", Text, "storage key of the actor"),
            ("service_actor", Bool, "whether the service itself did it"),
            ("date", Date, "UTC day"),
            ("action", Text, "action id"),
            ("address", Text, "address"),
            ("network", Text, "its /24 or /48"),
            ("client", Text, "product behind the user agent"),
            ("project", Text, "project name"),
            ("n", Int, "events"),
            ("origins", Int, "events that began a cascade"),
            ("hour_bits", Int, "bit h is set when UTC hour h has an event"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
            ("first_event", Text, "id of the first event"),
            ("last_event", Text, "id of the last event"),
        ],
    ),
    (
        "token_day",
        "One row a PAT credential and day.",
        &[
            ("org", Text, "organisation"),
            ("credential", Text, "visible part of the authorization id"),
            ("token_id", Text, "the token it is attributed to"),
            ("date", Date, "UTC day"),
            ("n", Int, "events"),
            ("origins", Int, "events that began a cascade"),
            ("actions", Int, "distinct actions"),
            ("projects", Int, "distinct projects"),
            ("networks", Int, "distinct networks"),
            ("clients", Int, "distinct clients"),
            ("targets", Int, "distinct things named in the data, such as repositories"),
            ("hour_bits", Int, "bit h is set when UTC hour h has an event"),
            (
                "peak_10m",
                Int,
                "most origins and orphans in any ten minutes; folded entries and audit log reads left out",
            ),
            ("peak_projects_10m", Int, "most projects in any ten minutes, counted likewise"),
            ("peak_targets_10m", Int, "most targets in any ten minutes, counted likewise"),
            ("peak_time", Time, "start of the busiest ten minutes"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
        ],
    ),
    (
        "actors",
        "Who acted on a day, under which names and with which kind of sign-in.",
        &[
            ("org", Text, "organisation"),
            ("date", Date, "UTC day"),
            ("credential", Text, "visible part of the authorization id; PATs alone"),
            ("class", Text, "mechanism without its id; PATs alone"),
            ("kind", Text, "pat, session, interactive, entra, service, ssh, none or other"),
            ("actor", Text, "UPN in lower case, else name, else id"),
            ("actor_id", Text, "storage key of the actor"),
            ("actor_cuid", Text, "stable id of a user"),
            ("actor_name", Text, "display name"),
            ("service_actor", Bool, "whether the service itself acted"),
            ("n", Int, "events"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
        ],
    ),
    (
        "connection_runs",
        "Which pipeline ran with which service connection on a day.",
        &[
            ("org", Text, "organisation"),
            ("date", Date, "UTC day"),
            ("project", Text, "project name"),
            ("definition_id", Text, "id of the pipeline's definition"),
            ("connection_id", Text, "id of the service connection"),
            ("n", Int, "runs"),
            ("first_time", Time, "first run"),
            ("last_time", Time, "last run"),
            ("event_id", Text, "one of the events: the greatest id"),
        ],
    ),
    (
        "org_seen",
        "Networks and clients that an organisation showed in the window: one row a value, whoever showed it.",
        &[
            ("org", Text, "organisation"),
            ("dimension", Text, "network or client"),
            ("value", Text, "the value"),
            ("first_time", Time, "first event with it"),
            (
                "third_time",
                Time,
                "when the third user or credential came; null below three, and for a client",
            ),
            ("days", Int, "days with it; null for a client"),
            ("actors", Int, "distinct actors; null for a client"),
            ("credentials", Int, "distinct credentials; null for a client"),
        ],
    ),
    (
        "first_shown",
        "Values that a token showed for the first time inside the window; the view `firsts` weighs them.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("dimension", Text, "action, network, client, project or hour"),
            ("value", Text, "the value"),
            ("first_time", Time, "first event with it"),
            ("last_time", Time, "last event with it"),
            ("n", Int, "events with it"),
            ("origins", Int, "of those, events that began a cascade"),
            ("active_days", Int, "days with it"),
            ("first_event", Text, "id of the first event"),
            ("token_first", Time, "first event of the token"),
            ("values_before", Int, "values of the dimension that the token showed earlier"),
            ("active_before", Int, "days of the window with events before that day"),
            ("fresh_before", Int, "days before that day that brought something new, the first day left out"),
            ("known_before", Bool, "whether anybody else of the organisation had shown it earlier"),
            ("third_time", Time, "of a network, when the third user or credential came"),
        ],
    ),
    (
        "stays",
        "From when to when a token was in a network: one row a token, day and network.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("date", Date, "UTC day"),
            ("network", Text, "the network"),
            ("first_time", Time, "first event from there on that day"),
            ("last_time", Time, "last event from there on that day"),
            ("crossed", Bool, "whether a stay elsewhere that began no later had not ended"),
        ],
    ),
    (
        "seen",
        "Every value that a PAT credential showed in a dimension, over all days up to as_of.",
        &[
            ("org", Text, "organisation"),
            ("credential", Text, "visible part of the authorization id"),
            ("token_id", Text, "the token it is attributed to"),
            ("dimension", Text, "action, network, client, project or hour"),
            ("value", Text, "the value; the hour as two digits"),
            ("n", Int, "events; days for an hour"),
            ("origins", Int, "events that began a cascade"),
            ("active_days", Int, "days with the value"),
            ("first_time", Time, "first event with it; the start of the hour for an hour"),
            ("last_time", Time, "last event with it"),
            ("first_event", Text, "id of the first event"),
            ("last_event", Text, "id of the last event"),
        ],
    ),
    (
        "notable",
        "Events of every action but the very frequent ones, with the keys of their data as columns.",
        &[
            ("org", Text, "organisation"),
            ("event_id", Text, "bare GUID of the event"),
            ("time", Time, "when it happened, UTC"),
            ("date", Date, "its UTC day"),
            ("action", Text, "action id"),
            ("category", Text, "create, modify, remove, access, execute or unknown"),
            ("actor", Text, "UPN in lower case, else name, else id"),
            ("actor_id", Text, "storage key of the actor"),
            ("actor_name", Text, "display name of the actor"),
            ("kind", Text, "pat, session, interactive, entra, service, ssh, none or other"),
            ("class", Text, "mechanism without its id"),
            ("credential", Text, "visible part of the authorization id"),
            ("token_id", Text, "the token it is attributed to"),
            ("service_actor", Bool, "whether the service itself acted"),
            ("origin", Bool, "whether it began its cascade"),
            ("correlation_id", Text, "groups a cascade"),
            ("address", Text, "address as it arrived"),
            ("network", Text, "its /24 or /48"),
            ("client", Text, "product behind the user agent"),
            ("user_agent", Text, "user agent as it arrived"),
            ("project", Text, "project name"),
            ("project_id", Text, "project id"),
            ("details", Text, "rendered text"),
            ("d_authorization_id", Text, "`AuthorizationId` of the event's data"),
            ("d_display_name", Text, "`DisplayName` of the event's data"),
            ("d_owner_id", Text, "`OwnerId` of the event's data"),
            ("d_owner_name", Text, "`OwnerName` of the event's data"),
            ("d_scopes", Text, "`Scopes` of the event's data"),
            ("d_valid_from", Text, "`ValidFrom` of the event's data"),
            ("d_valid_to", Text, "`ValidTo` of the event's data"),
            ("d_target_accounts", Text, "`TargetAccounts` of the event's data"),
            ("d_all_orgs", Text, "whether the token is for all organisations, as written"),
            ("d_group_name", Text, "`GroupName` of the event's data"),
            ("d_group_id", Text, "`GroupId` of the event's data"),
            ("d_member_id", Text, "`MemberId` of the event's data"),
            ("d_member_name", Text, "`MemberName` of the event's data"),
            ("d_policy_name", Text, "`PolicyName` of the event's data"),
            ("d_policy_value", Text, "`PolicyValue` of the event's data"),
            ("d_previous_value", Text, "`PreviousValue` of the event's data"),
            ("d_consumer_type", Text, "`ConsumerType` of the event's data"),
            ("d_extension", Text, "`Extension` of the event's data"),
            ("d_publisher", Text, "`Publisher` of the event's data"),
            ("d_pool_id", Text, "`PoolId` of the event's data"),
            ("d_pool_name", Text, "`PoolName` of the event's data"),
            ("d_agent_cloud_id", Text, "`AgentCloudId` of the event's data"),
            ("d_agent_name", Text, "`AgentName` of the event's data"),
            ("d_os", Text, "`Os` of the event's data"),
            ("d_pipeline_id", Text, "`PipelineId` of the event's data"),
            ("d_pipeline_name", Text, "`PipelineName` of the event's data"),
            ("d_release_id", Text, "`ReleaseId` of the event's data"),
            ("d_repo_id", Text, "`RepoId` of the event's data"),
            ("d_repo_name", Text, "`RepoName` of the event's data"),
            ("d_connection_id", Text, "`ConnectionId` of the event's data"),
            ("d_connection_name", Text, "`ConnectionName` of the event's data"),
            ("d_feed_name", Text, "`FeedName` of the event's data"),
            ("d_feed_changes", Text, "`FeedChanges` of the event's data"),
            ("d_setting", Text, "`Setting` of the event's data"),
            ("d_old_value", Text, "`OldValue` of the event's data"),
            ("d_new_value", Text, "`NewValue` of the event's data"),
            ("d_variable_group_id", Text, "`VariableGroupId` of the event's data"),
            ("d_variable_group_name", Text, "`VariableGroupName` of the event's data"),
            ("d_variables", Text, "`Variables` of the event's data"),
            ("d_group_type", Text, "`GroupType` of the event's data"),
            ("d_visibility", Text, "`Visibility` of the event's data"),
            ("d_previous_visibility", Text, "`PreviousVisibility` of the event's data"),
            ("d_permission", Text, "`Permission` of the event's data"),
            ("d_namespace", Text, "`Namespace` of the event's data"),
            ("d_user", Text, "affected user of licence and token events"),
            ("d_search", Text, "the whole data of a search"),
            (
                "d_clear_secrets",
                Text,
                "variables of a group with a secret-like name that are not marked as secret, with blanks between",
            ),
        ],
    ),
    (
        "absences",
        "Spans in which the owner of a token had no access, one row a token and span.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("gone_at", Time, "when the owner lost access"),
            ("back_at", Time, "when the owner was next known to have access; null while not"),
            ("joined_by", Text, "how the event that took access names the owner: id or user name"),
        ],
    ),
    (
        "token_claims",
        "What is said of each token and its owner, one row a claim, with what became of it.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            (
                "field",
                Text,
                "what the claim speaks of: name, owner, owner state, scopes, reach, created, ends, state, revoked, leaked",
            ),
            ("value", Text, "the value"),
            ("time", Time, "the time it speaks of; null where the source has no date"),
            ("source", Text, "list, event, usage record, users list, mechanism class or configuration"),
            ("joined_by", Text, "id, unique prefix, user name, owner and name, class or display name"),
            ("certainty", Text, "the most confidence that it allows: high, medium or low"),
            ("complete", Bool, "whether the source was complete for this subject"),
            ("standing", Text, "holds, superseded or contradicts"),
            ("event_id", Text, "the event that states it, where one does"),
            (
                "stated_in",
                Text,
                "the organisation that states it, where it contradicts what another one says of its own",
            ),
        ],
    ),
    (
        "tokens",
        "One row a PAT and organisation, with its verdicts.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "authorization id"),
            ("name", Text, "display name"),
            ("owner", Text, "owner: UPN in lower case, else name, else id"),
            ("owner_id", Text, "storage key of the owner"),
            (
                "owner_key",
                Text,
                "key by which people are compared: equal for storage key and CUID of one account",
            ),
            ("owner_state", Text, "active, disabled, removed or unknown"),
            ("owner_gone_at", Time, "since when the owner is disabled or removed"),
            ("state", Text, "active, expired, revoked or unknown"),
            ("known_inventory", Bool, "whether the inventory lists it"),
            ("known_ledger", Bool, "whether token events tell of it"),
            ("known_events", Bool, "whether it is seen in use"),
            ("all_orgs", Bool, "whether it reaches all organisations; null unknown"),
            ("full_access", Bool, "whether it has full access; null unknown"),
            (
                "full_access_by_class",
                Bool,
                "whether full access is known from the class of its mechanism alone",
            ),
            ("all_orgs_by_class", Bool, "whether the reach is known from that class alone"),
            ("scopes", Text, "granted scopes, blank separated"),
            ("n_scopes", Int, "number of granted scopes"),
            ("valid_from", Time, "creation"),
            ("valid_to", Time, "end date"),
            ("lifetime_days", Int, "days from creation to end"),
            ("revoked_at", Time, "when it was revoked"),
            ("leaked_at", Time, "when it was found in public"),
            ("created_event", Text, "id of the event that created it"),
            ("created_network", Text, "network it was created from"),
            ("created_client", Text, "client it was created with"),
            ("created_at", Time, "when the log says it was created"),
            (
                "created_outside_hours",
                Bool,
                "whether that was outside the working hours of the configuration",
            ),
            ("use_verdict", Text, "observed, possible, ruled-out, not-observed or not-judged"),
            ("use_confidence", Text, "low, medium or high"),
            ("use_reason", Text, "one sentence on the verdict"),
            ("last_observed", Time, "last attributed event in the window"),
            ("last_observed_ever", Time, "last attributed event in the lake"),
            ("last_observed_anywhere", Time, "last attributed event in any organisation of the run"),
            (
                "seen_ever_in",
                Text,
                "other organisations of the run where the lake holds an event of the token",
            ),
            (
                "held_until",
                Time,
                "until when the log is held, in the organisation it reaches whose log ends first",
            ),
            (
                "held_whole",
                Bool,
                "whether the log is held without a gap from its creation to as_of, in every organisation that it can reach",
            ),
            ("n_events", Int, "attributed events in the window"),
            ("use_events", Text, "ids of its newest events in the window, at most 100, blank separated"),
            ("covered_days", Int, "whole days without a gap inside window and life"),
            ("seen_in", Text, "other organisations of the run where the token was seen in the window"),
            ("unseen_orgs", Bool, "whether it reaches organisations that the run does not see"),
            ("invisible_scopes", Text, "granted scopes whose use leaves no trace"),
            ("observed_scopes", Text, "least set of scopes that its events need"),
            ("proposed_scopes", Text, "safe proposal"),
            ("reduced_scopes", Text, "proposal to confirm with the owner"),
            ("over", Bool, "whether it is expired or revoked"),
            ("inventory_taken", Time, "when the inventory was taken"),
            ("extended", Int, "updates that moved the end date"),
            ("joined_by_name", Bool, "whether some event of its life names it by owner and name alone"),
            ("owner_admin_of", Text, "administrator groups that events put the owner into"),
            ("owner_last_pat", Time, "last audited event of the owner with any PAT"),
            ("owner_tokens", Int, "PATs of the owner here that are not known to be over"),
            (
                "generation",
                Int,
                "which generation of a rotated token it is, from 1 on; null where nothing links it",
            ),
            ("generations", Int, "how many generations there are"),
            ("previous_token_id", Text, "the token that it replaced"),
            ("next_token_id", Text, "the token that replaced it"),
            (
                "overlap_days",
                Int,
                "whole days that it lived beside the token that it replaced; negative for a pause",
            ),
            ("last_rotation", Time, "when it replaced another; null where it is not known to have"),
            (
                "secret_days",
                Int,
                "days from its beginning to as_of or its end; a regeneration in between does not show",
            ),
            ("worker", Text, "automation, person or unclear"),
            ("list_differs", Text, "what a list says against events that are older than it"),
        ],
    ),
    (
        "grant_changes",
        "Changes of a token's scopes, reach or end date that an event shows, with before and after.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("time", Time, "when it happened, UTC"),
            ("event_id", Text, "the update event"),
            ("actor", Text, "who made the change"),
            ("network", Text, "network it came from"),
            ("client", Text, "client it came with"),
            ("field", Text, "scopes, reach or end"),
            ("before", Text, "the value before: scopes, blank separated; the reach in words; an instant"),
            ("after", Text, "the value after"),
            ("widened", Bool, "whether the token can do more, or do it longer, than before"),
            ("gained", Text, "scopes that the old grant did not give, blank separated"),
            ("gained_access", Text, "strongest access among them: read, write, high-privilege or full"),
            ("days_ahead", Int, "whole days from the change to the new end date"),
        ],
    ),
    (
        "other_users",
        "People who used a token whose owner is known and is somebody else.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("actor", Text, "label of the user"),
            ("actor_id", Text, "storage key of the user"),
            ("known_by", Text, "id, where both ids are known; name, where only user names are"),
        ],
    ),
    (
        "class_conflicts",
        "Mechanism classes that name full access or all organisations where list or event say less.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("class", Text, "mechanism without its id"),
            ("field", Text, "scopes or reach"),
            ("granted", Text, "what list or event say"),
            ("listed", Bool, "whether a list says so; else an event does"),
            ("first_time", Time, "first event with the class since that grant"),
            ("last_time", Time, "last such event"),
        ],
    ),
    (
        "unclear_token_events",
        "Events about a PAT that name it by owner and display name alone and fit several; none changed a state.",
        &[
            ("org", Text, "organisation"),
            ("event_id", Text, "bare GUID of the event"),
            ("time", Time, "when it happened, UTC"),
            ("action", Text, "action id"),
            ("owner", Text, "owner that it names, else who acted"),
            ("name", Text, "display name that it gives"),
            ("candidates", Int, "tokens that it fits"),
            ("candidate_ids", Text, "their ids, blank separated"),
            ("fit", Text, "how they fit: owner and name, name only, or nothing"),
        ],
    ),
    (
        "token_scopes",
        "One row a token and scope, with what the log says on it.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "authorization id"),
            ("scope", Text, "scope string"),
            ("state", Text, "used, not-seen, cannot-be-seen or beyond-grant"),
            ("visibility", Text, "full, mostly, partial, none or unknown"),
            ("confidence", Text, "low, medium or high"),
            (
                "covered_days",
                Int,
                "whole days without a gap inside window and life since the token has held it",
            ),
            ("granted", Bool, "whether the token holds it"),
            ("high_privilege", Bool, "whether Microsoft marks it as high privilege"),
            ("access", Text, "read, write, execute, use, manage or full"),
            ("n", Int, "events that needed it"),
            ("last_time", Time, "last of them"),
            ("unseen_operations", Text, "operations it allows that leave no trace"),
            ("last_event", Text, "id of the last event"),
            (
                "beyond_events",
                Text,
                "ids of the newest events beyond the grant, at most 100, blank separated",
            ),
        ],
    ),
    (
        "credentials",
        "What mechanisms hold of authorization ids, and which token each is.",
        &[
            ("org", Text, "organisation"),
            ("credential", Text, "visible part of the authorization id"),
            ("kind", Text, "pat, session or other"),
            ("class", Text, "mechanism without its id"),
            ("token_id", Text, "the token it is attributed to"),
            ("how", Text, "exact, prefix, ambiguous or unknown"),
            ("candidates", Int, "tokens it could be"),
            ("n", Int, "events"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
        ],
    ),
    (
        "findings",
        "What the other detections found about tokens in this run; for detections that count findings, which run last.",
        &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("detection", Text, "id of the detection"),
            ("slug", Text, "its name"),
            ("family", Text, "use, scope, anomaly, hygiene or posture"),
            ("severity", Text, "info, low, medium, high or critical"),
            ("confidence", Text, "low, medium or high"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
            ("n", Int, "events"),
            ("fingerprint", Text, "fingerprint of the finding"),
            ("event_ids", Text, "ids of its newest events, at most 100, blank separated"),
        ],
    ),
    (
        "places",
        "What the user's context (own networks, databases of countries and ASNs) says of a network of an organisation; empty without.",
        &[
            ("org", Text, "organisation whose addresses these are"),
            ("network", Text, "the /24 or /48"),
            ("own", Bool, "whether it belongs to the organisation: all its addresses do"),
            ("country", Text, "country in two letters; null where not known or its addresses differ"),
            ("asn", Int, "autonomous system, which stands for the operator; null likewise"),
            ("as_name", Text, "name of the operator"),
            ("addresses", Int, "addresses of it in the window; 0 where the network itself was looked up"),
        ],
    ),
    (
        "coverage",
        "For which span each organisation's log is held.",
        &[
            ("org", Text, "organisation"),
            ("from_time", Time, "first instant"),
            ("to_time", Time, "last instant"),
            ("basis", Text, "pulled, declared, inferred or mixed"),
            ("covered_days", Int, "whole days without a gap"),
            ("gap_days", Int, "days with a gap"),
            ("areas", Int, "distinct areas that occur"),
        ],
    ),
    (
        "gaps",
        "Spans without a log.",
        &[
            ("org", Text, "organisation"),
            ("from_time", Time, "first instant"),
            ("to_time", Time, "last instant"),
            ("reason", Text, "why it counts as a gap"),
        ],
    ),
    (
        "users",
        "Users as the directory listing and the log know them.",
        &[
            ("org", Text, "organisation"),
            ("actor_id", Text, "storage key"),
            ("upn", Text, "UPN in lower case"),
            ("name", Text, "display name"),
            ("state", Text, "active, disabled, removed or unknown"),
            ("last_access", Time, "last access of the user, by any means"),
        ],
    ),
    (
        "actions",
        "Catalogue: actions of the audit log.",
        &[
            ("action", Text, "action id"),
            ("area", Text, "area"),
            ("category", Text, "category"),
            ("description", Text, "one line"),
            ("notable", Bool, "whether `notable` holds it"),
            ("sensitive", Bool, "whether it changes who may do what, or what is recorded"),
        ],
    ),
    (
        "scopes",
        "Catalogue: scopes of tokens.",
        &[
            ("scope", Text, "scope string"),
            ("category", Text, "heading in the portal's form"),
            ("title", Text, "line in the portal's form"),
            ("access", Text, "read, write, execute, use, manage or full"),
            ("high_privilege", Bool, "whether Microsoft marks it as high privilege"),
            ("visibility", Text, "full, mostly, partial, none or unknown"),
        ],
    ),
    (
        "scope_includes",
        "Catalogue: which scope includes which.",
        &[("scope", Text, "scope string"), ("includes", Text, "a scope that it includes")],
    ),
    (
        "action_scopes",
        "Catalogue: which action needs which scope; any one suffices.",
        &[
            ("action", Text, "action id"),
            ("scope", Text, "scope string"),
            ("certainty", Text, "documented, inferred, guess or unknown"),
            ("system", Bool, "whether the service itself normally raises it"),
        ],
    ),
];

/// Folds that the analysis reads in place of events; not for detections, since a row may stand for a whole month.
const FOLDS: &[(&str, &str, &[Line])] = &[
    (
        "lake_uses",
        "Who used which credential: a row a month, or a day where the window cuts a month.",
        &[
            ("org", Text, "organisation"),
            ("date", Date, "first day of the month, or the day"),
            ("credential", Text, "visible part of the authorization id; PATs alone"),
            ("class", Text, "mechanism without its id; PATs alone"),
            ("kind", Text, "kind of sign-in"),
            ("actor", Text, "label of the actor"),
            ("actor_id", Text, "storage key of the actor"),
            ("service_actor", Bool, "whether the service itself acted"),
            ("n", Int, "events"),
            ("first_time", Time, "first event"),
            ("last_time", Time, "last event"),
            ("day_bits", Int, "bit d is set when day d of the month has an event; null in a row a day"),
        ],
    ),
    (
        "lake_orphans",
        "PAT events whose origin the lake does not hold.",
        &[("org", Text, "organisation"), ("event_id", Text, "bare GUID of the event")],
    ),
    (
        "lake_changes",
        "Events of the whole history that tell of tokens, of access and of the log itself.",
        &[
            ("org", Text, "organisation"),
            ("event_id", Text, "bare GUID of the event"),
            ("time", Time, "when it happened, UTC"),
            ("action", Text, "action id"),
            ("actor", Text, "label of the actor"),
            ("actor_id", Text, "storage key of the actor"),
            ("service_actor", Bool, "whether the service itself acted"),
            ("network", Text, "network"),
            ("client", Text, "client"),
            ("details", Text, "rendered text"),
            ("d_authorization_id", Text, "as in notable"),
            ("d_display_name", Text, "as in notable"),
            ("d_owner_id", Text, "as in notable"),
            ("d_owner_name", Text, "as in notable"),
            ("d_scopes", Text, "as in notable"),
            ("d_valid_from", Text, "as in notable"),
            ("d_valid_to", Text, "as in notable"),
            ("d_target_accounts", Text, "as in notable"),
            ("d_all_orgs", Text, "as in notable"),
            ("d_user", Text, "as in notable"),
            ("d_member_id", Text, "as in notable"),
            ("d_member_name", Text, "as in notable"),
            ("d_group_name", Text, "as in notable"),
            ("d_policy_name", Text, "as in notable"),
            ("d_policy_value", Text, "as in notable"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_meanings_given() {
        for table in tables() {
            let mut names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            assert!(table.columns.iter().all(|c| !c.meaning.is_empty()), "{}", table.name);
        }
        assert_eq!(table("policy").and_then(|t| t.column("burst_factor")).map(|c| c.kind), Some(Float));
        assert!(tables().iter().filter(|t| t.name == "seen").count() == 1);
    }
}
