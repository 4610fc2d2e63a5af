//! Every threshold that verdicts and detections use, with its default and its reason.

/// Thresholds. The fields are the columns of the one-row table `policy`, beside `as_of` and the window.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Covered days that a token needs before its silence is judged.
    pub min_covered_days: i64,
    /// Longest life in days from creation to end; Microsoft's tenant policy of the same name is off by default.
    pub max_lifetime_days: i64,
    /// Days before the end at which a token in use is reported as expiring.
    pub expiry_notice_days: i64,
    /// Days a token is watched before something new about it counts as new.
    pub learning_days: i64,
    /// Active days a token must have shown in that time.
    pub learning_active_days: i64,
    /// Events within ten minutes that a burst must reach, whatever the token's past.
    pub burst_floor: i64,
    /// How many times the token's own largest past peak a burst must reach.
    pub burst_factor: f64,
    /// Distinct projects within ten minutes that count as breadth.
    pub breadth_projects: i64,
    /// Quiet days after which use counts as waking up.
    pub dormant_days: i64,
    /// Hours of grace after a revoke or an owner's leaving, since both take up to one hour to bite.
    pub grace_hours: i64,
    /// Days before an owner's leaving in which a new token is suspicious.
    pub departure_days: i64,
    /// Days a token is watched before several new things at once count; fewer than for one new thing alone.
    pub joint_days: i64,
    /// Active days a token must have shown in that time.
    pub joint_active_days: i64,
    /// Least surprise at which something new about a token is worth keeping: LN((active days before + 1) /
    /// (days that brought news + 0.5)), so 2 is three uneventful days, or news on one day in eight.
    pub surprise_low: f64,
    /// Surprise of one new thing from which a token counts as steady: ten uneventful days.
    pub surprise_steady: f64,
    /// Sum of two surprises that is worth an analyst's time: two new things after five or six uneventful days.
    pub surprise_medium: f64,
    /// Sum of surprises that is urgent: two new things after sixteen uneventful days.
    pub surprise_high: f64,
    /// What a country that the token never showed adds to the surprise of a network.
    pub surprise_country: f64,
    /// Days that a token must go on from a new place, and from no old one, before that counts as a move.
    pub move_days: i64,
    /// Quiet days that break a steady rhythm; three weeks outlast a holiday.
    pub quiet_days: i64,
    /// Distinct repositories or other targets within ten minutes that count as breadth.
    pub breadth_targets: i64,
    /// Revokes by one user within an hour that count as many.
    pub many_revokes: i64,
    /// Days without access after which a user counts as idle.
    pub idle_user_days: i64,
    /// Distinct service connections that one pipeline may run; Sentinel's threshold.
    pub pipeline_connections: i64,
    /// Time zone of the working hours, by its name in the tz database.
    pub time_zone: String,
    /// Minute of the day at which working hours begin.
    pub work_from_minute: i64,
    /// Minute of the day at which they end; before the beginning for a night shift.
    pub work_to_minute: i64,
    /// Working days as bits, Monday the lowest.
    pub work_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_covered_days: 30,
            max_lifetime_days: 90,
            expiry_notice_days: 14,
            learning_days: 14,
            learning_active_days: 5,
            burst_floor: 20,
            burst_factor: 4.0,
            breadth_projects: 5,
            dormant_days: 45,
            grace_hours: 1,
            departure_days: 7,
            joint_days: 7,
            joint_active_days: 3,
            surprise_low: 2.0,
            surprise_steady: 3.0,
            surprise_medium: 5.0,
            surprise_high: 7.0,
            surprise_country: 1.0,
            move_days: 7,
            quiet_days: 21,
            breadth_targets: 10,
            many_revokes: 5,
            idle_user_days: 60,
            pipeline_connections: 4,
            // Wide, since most nights of Europe and few of its days lie outside.
            time_zone: "UTC".to_owned(),
            work_from_minute: 6 * 60,
            work_to_minute: 20 * 60,
            work_days: 0b111_1111,
        }
    }
}
