//! What to do about rejected records: the reason of a reject in, advice out.

/// Reasons in the words of the decoder, each with its advice.
const REMEDIES: [(&str, &str); 19] = [
    (
        "order of day and month unknown",
        "export the file with dates as 2026-03-31 12:00:00, or keep it together with rows of a day after the 12th",
    ),
    ("no time", "export the file with a column Timestamp (or TimeGenerated) as 2026-03-31T12:00:00Z"),
    ("no event id", "export the file with the column Id; without it copies of an event cannot be recognised"),
    ("no action", "export the file with the column ActionId (or OperationName)"),
    (
        "too few cells",
        "export the CSV again with every column in every row; a line break inside a cell needs quotes around the cell",
    ),
    ("too many cells", "export the CSV again with quotes around cells that contain the delimiter"),
    ("a quote that is never closed", "close the quote in that line, or export the CSV again"),
    ("record too long", "export that record again; a record is at most 16 MB"),
    ("cut off", "fetch the file again, it ends inside a record"),
    ("not valid JSON", "export the file again as JSON; one record a line is the safest"),
    ("not an object", "export audit records as JSON objects"),
    ("nested too deeply", "export the records without the envelopes around them"),
    ("envelopes nested too deeply", "export the records without the envelopes around them"),
    ("unknown kind of record", "check that the file is an audit export or a list; if it is one, set --kind"),
    ("no audit event in the envelope", "export the audit records themselves"),
    ("empty envelope", "export the audit records themselves"),
    ("no authorization id", "export the list with the column authorizationId"),
    ("columns missing", "export the list with all columns of the API"),
    ("no descriptor and no principal name", "export the users with descriptor or principalName"),
];

/// Returns what to do about records that were rejected for `reason`.
#[must_use]
pub fn remedy(reason: &str) -> Option<&'static str> {
    REMEDIES.iter().find(|(known, _)| *known == reason).map(|(_, advice)| *advice)
}
