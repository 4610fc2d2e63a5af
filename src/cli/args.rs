//! What may be typed: every command, argument and default, with the help that explains it.

use super::values::{day, dossiers, formats, grids, names, organisation, page_size, severity};
use crate::config::limits::{parse_memory, parse_time};
use crate::lab::Shape;
use crate::model::finding::Severity;
use crate::output;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Says what each Azure DevOps personal access token really did, and what the audit log could not show.
#[derive(Debug, Parser)]
#[command(
    name = "patwatch",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Examples:\n  patwatch report --from sample-data --output report   a first report, nothing kept\n  patwatch import audit-2026-10.json.gz inventory.json  keep a lake in ./patwatch-lake\n  patwatch check --fail-on high                         findings, and exit code 1 for a pipeline\n  patwatch token deploy-prod                            one token's dossier\n\nExit codes: 0 done; 1 findings at or above --fail-on; 2 not all that was asked could be done."
)]
pub(super) struct Cli {
    /// Folder that holds the lake; of a container in the cloud, the folder that it is mounted or synced to
    #[arg(long, global = true, value_name = "DIR", default_value = "./patwatch-lake", env = "PATWATCH_LAKE")]
    pub lake: PathBuf,
    /// Configuration file [default: ./patwatch.toml if present]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more on stderr (twice: still more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colour in terminals
    #[arg(long, global = true, value_enum, ignore_case = true, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Pull audit events, PATs and users from Azure DevOps into the lake; again tomorrow for what is new
    Pull(PullArgs),
    /// Check what a pull needs, and say how to get what is missing
    Doctor(DoctorArgs),
    /// Read audit files, inventories and user lists into the lake
    Import(ImportArgs),
    /// Write the whole bundle: HTML, Markdown, CSV, JSON, SARIF, charts, manifest
    Report(ReportArgs),
    /// Run the detections and list the findings
    Check(CheckArgs),
    /// List every PAT with its verdicts
    #[command(
        after_help = "Examples:\n  patwatch tokens --advice revoke --advice ask           what needs a decision\n  patwatch tokens --owner ann --sort last-event          one person's tokens, newest use first\n  patwatch tokens --state active --sort risk --limit 20  the 20 riskiest tokens in force\n  patwatch tokens --at 2026-10-31T05:20:00Z              tokens with an audited event in that hour"
    )]
    Tokens(TokensArgs),
    /// One PAT's dossier: grant, life, use, scopes, findings, what could not be seen
    #[command(
        after_help = "Examples:\n  patwatch token deploy-prod                              by name\n  patwatch token 'PAT authorizationId: 0f3e5d27-...'      as a log shows it\n  patwatch token ann@contoso.com                          by owner; several are listed\n  patwatch token 203.0.113.7                              by address\n\nExit codes: 0 shown, or several fit and are listed (table); 2 none fits, or several fit another format."
    )]
    Token(TokenArgs),
    /// Events of a PAT, a person, an address or a network, oldest first, with their targets
    #[command(
        after_help = "Examples:\n  patwatch timeline deploy-prod                                one PAT's events in the window\n  patwatch timeline ann@contoso.com --since 2026-10-01         a person, by any means of sign-in\n  patwatch timeline 203.0.113.0/24 --format csv --output t.csv  a network, with the data of each event\n  patwatch timeline deploy-prod --around EVENT_ID 1h           and what happened around an event"
    )]
    Timeline(TimelineArgs),
    /// Print the request that revokes PATs; changes nothing
    #[command(
        after_help = "Examples:\n  patwatch revoke deploy-prod                 the request body and the command that sends it\n  patwatch revoke 0f3e5d27 9a1b2c3d > run.txt  several tokens, one request an organisation\n\nExit codes: 0 printed; 2 a token is unknown, not the only one that fits, or only part of its id is known."
    )]
    Revoke(RevokeArgs),
    /// Why a PAT was or was not flagged by a detection
    Explain(ExplainArgs),
    /// Ad hoc SQL over the lake, and the saved queries
    Query(QueryArgs),
    /// Draw one chart as PNG or SVG
    Chart(ChartArgs),
    /// The pack: list, show, lint
    Detections(DetectionsArgs),
    /// Access review: a sheet of tokens out, decisions back in
    Review(ReviewArgs),
    /// Make a labelled synthetic organisation
    Simulate(SimulateArgs),
    /// Score findings against labels
    Evaluate(EvaluateArgs),
    /// Look after the lake
    Lake(LakeArgs),
    /// Serve a made-up organisation on this machine, to try `pull` and `doctor` on
    #[command(hide = true)]
    FakeServices(FakeArgs),
    /// Run detections for another process of patwatch, which watches what they take
    #[command(name = super::apart::COMMAND, hide = true)]
    RunDetections,
    /// Print examples of scheduled runs: Azure Pipelines, GitHub Actions, systemd, cron, Kubernetes
    Examples(ExamplesArgs),
    /// Print a completion script
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command: `patwatch man pull | man -l -`
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(super) struct ExamplesArgs {
    /// The example, such as `azure-pipelines`; without one, all are listed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Write the example, or all of them, into this folder; a file that exists is not overwritten
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command, such as `pull` or `lake prune` [default: patwatch itself]
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Vec<String>,
    /// Write every page into this folder, to be found by `man` there
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// What to look at: shared by every command that reads.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What to look at")]
pub(super) struct Selection {
    /// Read these files or folders into a throw-away lake first ("-" is stdin)
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub from: Vec<PathBuf>,
    /// Only these organisations (repeatable, or with commas); with --from also the name for files that name none
    #[arg(long, value_name = "ORG", value_delimiter = ',', value_parser = organisation)]
    pub org: Vec<String>,
    /// Stand at this instant: RFC 3339, "2026-03-31 05:00" (UTC), or a day for its end [default: the latest that the lake covers]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Look back this many whole UTC days: 90d, 13w, or the first of them
    #[arg(long, value_name = "SPAN", default_value = "90d")]
    pub window: String,
    /// More detections from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub queries: Vec<PathBuf>,
    /// Take the decisions of this review sheet into account (repeatable)
    #[arg(long, value_name = "FILE")]
    pub decisions: Vec<PathBuf>,
    /// Countries or ASNs of addresses from this database in MaxMind's format (repeatable)
    #[arg(long, value_name = "FILE")]
    pub geo: Vec<PathBuf>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub reading: Reading,
}

/// What a query, or a detection of the user, may take.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Stop a query, or a detection of --queries, after this time, such as 90s or 2h [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub time_limit: Option<Duration>,
    /// Stop it when it needs more memory, such as 512MB or 8GB; on Linux only [default: 4GB, or three quarters of the
    /// machine's memory if that is less]
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    pub memory_limit: Option<u64>,
}

/// How to read files.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading files")]
pub(super) struct Reading {
    /// What the files hold
    #[arg(long, value_enum, ignore_case = true, default_value_t = Kind::Auto)]
    pub kind: Kind,
    /// The audit files hold this span whole (days, both ends included, or instants); of usage records read by
    /// themselves, these
    #[arg(long, value_name = "FROM..TO")]
    pub covers: Option<String>,
    /// The usage records hold this span whole, where audit files are read with them
    #[arg(long, value_name = "FROM..TO")]
    pub usage_covers: Option<String>,
    /// The users files list every user of their organisation; pages of the Graph API do not state their end
    #[arg(long)]
    pub users_complete: bool,
    /// When the inventory was taken [default: the newest event of its organisation]
    #[arg(long, value_name = "TIME")]
    pub taken: Option<String>,
    /// Exit with 2 when any record is rejected
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    #[default]
    Auto,
    Audit,
    Inventory,
    Users,
    Entitlements,
    Usage,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files or folders; gzip is taken as it is, "-" is stdin
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Organisation of files that name none; with =PATH of those files alone that are PATH or lie in it (repeatable)
    #[arg(long, value_name = "ORG[=PATH]")]
    pub org: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// How to reach the services.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sign-in")]
pub(super) struct LiveArgs {
    /// entra, azure-cli, managed-identity, workload-identity, client-secret, or pat (from AZURE_DEVOPS_EXT_PAT)
    #[arg(long, value_name = "MODE", default_value = "entra")]
    pub auth: String,
}

#[derive(Debug, Args)]
pub(super) struct PullArgs {
    /// Organisation (repeatable, or with commas)
    #[arg(long, required = true, value_name = "ORG", value_delimiter = ',', value_parser = organisation)]
    pub org: Vec<String>,
    /// How far back from --until: 90d, 13w, or the first day; the service keeps 90 days
    #[arg(long, value_name = "SPAN", default_value = "90d")]
    pub since: String,
    /// Up to this instant: RFC 3339, or a day for its end [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Events asked for at once
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch_size: u32,
    /// Also read the organisation's usage records: undocumented, best effort, one call a user
    #[arg(long)]
    pub usage: bool,
    /// Keep every answer as it came in this folder, with a list of requests, times and hashes
    #[arg(long, value_name = "DIR")]
    pub keep_raw: Option<PathBuf>,
    #[command(flatten)]
    pub live: LiveArgs,
}

#[derive(Debug, Args)]
pub(super) struct FakeArgs {
    /// Folders that `simulate` wrote, or of any files that `import` takes: an organisation each
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Stand at this instant: RFC 3339, or a day for its end. Dates stay as the files have them, nothing later is
    /// shown, and of several lists the latest [default: the present, to which all dates move]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Time that each answer takes
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub latency_ms: u64,
    /// Share of answers that fail in some way that passes, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub faults: f64,
    /// Most entries on a page
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = page_size)]
    pub page_size: usize,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Organisation (repeatable, or with commas); without one only the lake is looked at
    #[arg(long, value_name = "ORG", value_delimiter = ',', value_parser = organisation)]
    pub org: Vec<String>,
    #[command(flatten)]
    pub live: LiveArgs,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Folder to write to; made if absent
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Say what changed since the bundle in this folder
    #[arg(long, value_name = "DIR")]
    pub compare: Option<PathBuf>,
    /// Show findings of at least this severity; the others are counted, and --fail-on still counts them
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    pub severity: Option<Severity>,
    /// Replace people, addresses and names by pseudonyms (key: PATWATCH_PSEUDONYM_KEY)
    #[arg(long)]
    pub anonymise: bool,
    #[command(flatten)]
    pub fail: FailOn,
    #[command(flatten)]
    pub selection: Selection,
}

/// When findings make the exit code 1, and old data makes it 2.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FailOn {
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", ignore_case = true, value_parser = severity())]
    pub fail_on: Option<Severity>,
    /// Exit with 1 when a new finding is at least this severe; without --compare every finding is new
    #[arg(long, value_name = "SEVERITY", ignore_case = true, value_parser = severity())]
    pub fail_on_new: Option<Severity>,
    /// Exit with 2 when the log of an organisation ends longer ago than this: 3d, 36h or 2w
    #[arg(long, value_name = "AGE")]
    pub max_age: Option<String>,
    /// Measure --max-age at this instant: RFC 3339, or a day for its end [default: now]
    #[arg(long, value_name = "TIME", requires = "max_age")]
    pub now: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Form of the findings
    #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = formats(output::FINDINGS, &[]))]
    pub format: String,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// On a terminal list every finding, not the worst 50 from medium up; files and pipes always have them all
    #[arg(long)]
    pub all: bool,
    /// Only these detections or families (repeatable, or with commas)
    #[arg(long, value_name = "ID|FAMILY", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Show findings of at least this severity; the others are counted, and --fail-on still counts them
    #[arg(long, value_name = "SEVERITY", value_parser = severity())]
    pub severity: Option<Severity>,
    /// Say on stderr what changed since the bundle in this folder
    #[arg(long, value_name = "DIR")]
    pub compare: Option<PathBuf>,
    #[command(flatten)]
    pub fail: FailOn,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct TokensArgs {
    /// Form of the list
    #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = formats(output::TOKENS, &[]))]
    pub format: String,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only tokens whose owner contains this text (upper and lower case alike)
    #[arg(long, value_name = "TEXT")]
    pub owner: Option<String>,
    /// Only tokens with this advice (repeatable)
    #[arg(long, value_name = "ADVICE", value_parser = super::tokens::ADVICE.map(|(word, _)| word))]
    pub advice: Vec<String>,
    /// Only tokens in this state (repeatable)
    #[arg(long, value_name = "STATE", value_parser = ["active", "expired", "revoked", "unknown"])]
    pub state: Vec<String>,
    /// Only tokens with an audited event in the UTC hour of this instant, which the window must contain
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Order of the list [default: that of the report]
    #[arg(long, value_name = "ORDER", value_parser = ["risk", "last-event", "ends", "name", "owner"])]
    pub sort: Option<String>,
    /// List at most so many tokens
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// authorizationId or its beginning, a pasted mechanism, name, owner or part of one, address or network
    #[arg(value_name = "ID|NAME|OWNER|ADDRESS")]
    pub token: String,
    /// Form of the dossier
    #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = dossiers())]
    pub format: String,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct TimelineArgs {
    /// authorizationId or its beginning, name, owner, address or network
    #[arg(value_name = "TOKEN|OWNER|ADDRESS|NETWORK")]
    pub what: String,
    /// From this instant on: RFC 3339, or a day [default: the start of the window]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Up to this instant: RFC 3339, or a day for its end [default: the instant of the run]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Add what the same address, the same person and that person's other tokens did within a time of an event
    #[arg(long, num_args = 2, value_names = ["EVENT_ID", "TIME"])]
    pub around: Option<Vec<String>>,
    /// Output format; csv and ndjson carry the event's data
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "csv", "ndjson", "markdown"])]
    pub format: String,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// authorizationId or its beginning, name, or anything else that only one token fits
    #[arg(value_name = "TOKEN", required = true)]
    pub tokens: Vec<String>,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// authorizationId or its beginning, name, owner, address or network
    #[arg(value_name = "TOKEN")]
    pub token: String,
    /// Detection id or slug
    pub detection: String,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// SQL, or the name of a saved query
    #[arg(value_name = "SQL|NAME", required_unless_present_any = ["file", "tables", "list", "show"])]
    pub query: Option<String>,
    /// Read the SQL from this file
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print every table and column
    #[arg(long)]
    pub tables: bool,
    /// Print the saved queries
    #[arg(long)]
    pub list: bool,
    /// Print the SQL of a saved query, to change it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["query", "file", "tables", "list"])]
    pub show: Option<String>,
    /// Form of the rows
    #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = grids(&[super::query::PARQUET]))]
    pub format: String,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct ChartArgs {
    /// Which chart
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<String>,
    /// FILE.png or FILE.svg
    #[arg(short, long, value_name = "FILE", required_unless_present = "list")]
    pub output: Option<PathBuf>,
    /// Print every chart
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct DetectionsArgs {
    #[command(subcommand)]
    pub command: DetectionsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum DetectionsCommand {
    /// Print every detection
    List {
        /// Form of the list
        #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = grids(&[]))]
        format: String,
        /// More detections from this folder (repeatable)
        #[arg(long, value_name = "DIR")]
        queries: Vec<PathBuf>,
    },
    /// Print one detection: what it is for, how it is graded, its SQL
    Show {
        /// Detection id or slug
        id: String,
    },
    /// Check the compiled-in pack, or a folder
    Lint {
        /// Folder of a pack
        dir: Option<PathBuf>,
    },
    /// Which published rules, attack scenarios and controls the pack covers
    Coverage,
    /// What reviewers made of each detection, with a proposal: keep, tune or off
    #[command(after_help = crate::report::scorecard::RULE)]
    Scorecard {
        /// Format of the list
        #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = grids(&[]))]
        format: String,
        #[command(flatten)]
        selection: Box<Selection>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    #[command(subcommand)]
    pub command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReviewCommand {
    /// Write the review sheet of the tokens in force as CSV, or the bodies that revoke what was decided
    Export {
        /// File to write the sheet to
        #[arg(required_unless_present = "revoke_list")]
        file: Option<PathBuf>,
        /// Write bodies for Microsoft's revocation call into this folder, or into one FILE.json: tokens with a revoke
        /// decision, and tokens that are leaked, without owner, ruled out, or used after a revoke
        #[arg(long, value_name = "DIR|FILE")]
        revoke_list: Option<PathBuf>,
        /// Also write tokens that have expired or were revoked
        #[arg(long, requires = "file")]
        all: bool,
        /// Only write tokens of owners whose name, user name or id contains this text
        #[arg(long, value_name = "TEXT", requires = "file")]
        owner: Option<String>,
        #[command(flatten)]
        selection: Box<Selection>,
    },
    /// Take the decisions of a review sheet into the lake
    Import {
        /// The sheet, as CSV ("-" is stdin)
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The same seed makes the same files
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Tokens
    #[arg(long, default_value_t = 100)]
    pub tokens: usize,
    /// Days
    #[arg(long, default_value_t = 90)]
    pub days: u32,
    /// Name of the organisation [default: larkmoor-sample]
    #[arg(long, value_name = "ORG")]
    pub name: Option<String>,
    /// Write the log in these shapes, one stretch each, packed: api, log-analytics, export, csv, event-grid, splunk
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub shapes: Vec<Shape>,
    /// Also write Usage records, which show reads
    #[arg(long)]
    pub usage: bool,
    /// Write the lists of tokens and users as they were at the end of these days, each into a folder lists-DAY: read one
    /// with --taken DAY [default: those of the last day, beside the log]
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = day)]
    pub list_days: Vec<i32>,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Labels (repeatable: one a run, in the order of --findings)
    #[arg(long, value_name = "FILE", required_unless_present = "seeds", conflicts_with = "seeds")]
    pub truth: Vec<PathBuf>,
    /// Findings written by `check --format json` (repeatable) [default: run the pack now]
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub findings: Vec<PathBuf>,
    /// Simulate so many organisations and score the pack on each
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub seeds: Option<u32>,
    /// Seed of the first of them; the others follow
    #[arg(long, value_name = "N", default_value_t = 1, requires = "seeds")]
    pub first_seed: u64,
    /// Tokens of each
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "seeds")]
    pub tokens: usize,
    /// Days of each
    #[arg(long, value_name = "N", default_value_t = 90, requires = "seeds")]
    pub days: u32,
    /// Keep organisations, lakes and findings here, one folder a seed
    #[arg(long, value_name = "DIR", requires = "seeds")]
    pub keep: Option<PathBuf>,
    /// Compare with other rules: a folder of queries, or a findings file a run (repeatable)
    #[arg(long, value_name = "NAME=PATH")]
    pub baseline: Vec<String>,
    /// Form of the scores
    #[arg(long, value_name = "FORMAT", default_value = "table", ignore_case = true, value_parser = names(["table", "markdown", "json"]))]
    pub format: String,
    /// Also draw the comparison
    #[arg(long, value_name = "FILE.png|.svg")]
    pub chart: Option<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct LakeArgs {
    #[command(subcommand)]
    pub command: LakeCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LakeCommand {
    /// Compare every file with the index and the events, make anew what can be, and tell what is lost (exit code 2)
    Verify,
    /// Print what the lake holds
    Show,
    /// Delete old events
    #[command(
        long_about = "Delete old events: the UTC days that lie whole before TIME, and the tables made of them. Lists of \
PATs, users and usage records stay, and so do decisions. What only those events told goes with them, such as tokens of no list and earlier grants. Coverage begins at the first day left, the deletion is recorded in \
the lake and shown in reports, and an import or pull of the same events brings them back. It needs no free space, so it makes \
room on a full disk.\n\nWhat goes is printed first; on a \
terminal a question follows, elsewhere (a pipe, a scheduler) it is done at once."
    )]
    Prune {
        /// Delete what lies before: a day, or RFC 3339 (the day that it falls on stays)
        #[arg(long, value_name = "TIME")]
        before: String,
        /// Do not ask on a terminal
        #[arg(short, long, conflicts_with = "dry_run")]
        yes: bool,
        /// Print what would go, and delete nothing
        #[arg(long)]
        dry_run: bool,
    },
}
