//! One audit entry, normalised, borrowed from whatever text it arrived in.

use super::time::Micros;

text_enum! {
    /// The written shape that an event arrived in.
    Shape {
        /// Query API page, camelCase.
        Api = "api",
        /// Portal export, JSON or CSV.
        Export = "export",
        /// Azure Monitor Logs row of a stream (`AzureDevOpsAuditing`).
        LogAnalytics = "log-analytics",
        /// Sentinel's poller table (`ADOAuditLogs_CL`): API rows, not a stream.
        Poller = "poller",
        /// Event Grid record of a stream.
        EventGrid = "event-grid",
        /// Splunk HTTP event collector envelope of a stream.
        Splunk = "splunk",
    }
}

impl Shape {
    /// The bit that stands for the shape in the `shapes` column.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << (self as u8)
    }

    /// The bits of the shapes that a stream feeds, where a stream that is off leaves a gap.
    pub const STREAM_BITS: u8 = Self::LogAnalytics.bit() | Self::EventGrid.bit() | Self::Splunk.bit();
}

/// One audit entry. Text fields are empty where the entry holds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow<'a> {
    /// Bare event GUID, lower case: the last part of an API id, the whole of a stream's.
    pub event_id: &'a str,
    /// When it happened, cut to the microsecond.
    pub time: Micros,
    /// Action id, such as `Git.RepositoryCreated`.
    pub action: &'a str,
    /// Area as written, such as `Git`.
    pub area: &'a str,
    /// Category, lower case text whatever the shape: modify, remove, create, access, execute, unknown.
    pub category: &'a str,
    /// Mechanism text as written.
    pub mechanism: &'a str,
    /// UPN as written.
    pub actor_upn: &'a str,
    /// Display name.
    pub actor_name: &'a str,
    /// Storage key of the user or id of the service, lower case; empty for the zero GUID.
    pub actor_id: &'a str,
    /// CUID of the user, lower case; empty for the zero GUID.
    pub actor_cuid: &'a str,
    /// Client id of a service principal, lower case; empty for the zero GUID.
    pub actor_client_id: &'a str,
    /// Correlation id, lower case.
    pub correlation_id: &'a str,
    /// Activity id, lower case.
    pub activity_id: &'a str,
    /// Address as written.
    pub address: &'a str,
    /// User agent as written, perhaps cut.
    pub user_agent: &'a str,
    /// Project id, lower case; empty for the zero GUID.
    pub project_id: &'a str,
    /// Project name.
    pub project: &'a str,
    /// Scope type, lower case text whatever the shape.
    pub scope_type: &'a str,
    /// Scope id, lower case; empty for the zero GUID.
    pub scope_id: &'a str,
    /// Scope display name as written.
    pub scope_name: &'a str,
    /// Rendered text.
    pub details: &'a str,
    /// The `data` object as JSON text; empty when missing or null.
    pub data: &'a str,
    /// Shape it arrived in.
    pub shape: Shape,
    /// How many calls the entry stands for: 1, or more where the service folded reads of the log.
    pub folded: u32,
}

impl EventRow<'_> {
    /// A row with nothing in it, to be filled by a decoder or a test.
    pub const EMPTY: EventRow<'static> = EventRow {
        event_id: "",
        time: 0,
        action: "",
        area: "",
        category: "",
        mechanism: "",
        actor_upn: "",
        actor_name: "",
        actor_id: "",
        actor_cuid: "",
        actor_client_id: "",
        correlation_id: "",
        activity_id: "",
        address: "",
        user_agent: "",
        project_id: "",
        project: "",
        scope_type: "",
        scope_id: "",
        scope_name: "",
        details: "",
        data: "",
        shape: Shape::Api,
        folded: 1,
    };
}
