//! How people and tools spell keys: a key as written in, its plain spelling or the key that it stands for out.
//!
//! The services write `actorCUID` or `ActorCUID`. SDKs and scripts write `actor_cuid`, `Actor CUID` or `actor-cuid`; a custom
//! table of Log Analytics adds the type, as in `scopeId_g`; exporters put the same prefix before every key.

/// The longest name that is looked at: longer ones are text, not keys.
const LONGEST: usize = 128;

/// The endings that a custom table of Log Analytics adds: string, GUID, time, number, Boolean.
const TYPES: [&str; 5] = ["_s", "_g", "_t", "_d", "_b"];

/// Returns a name in lower case without separators and accents: `E-mail` is `email`, `Organização` is `organizacao`.
///
/// A name that starts with anything but a letter stays as it is, in lower case: `_id` and `@timestamp` are the envelope's own
/// keys, not the record's.
pub(super) fn plain(name: &str) -> String {
    if name.len() > LONGEST || !name.chars().next().is_some_and(char::is_alphabetic) {
        return name.to_lowercase();
    }
    let mut plain = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()) {
        match unaccented(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    plain
}

/// Returns a name without the ending that states its type.
pub(super) fn untyped(name: &str) -> Option<&str> {
    let end = name.len().checked_sub(2).filter(|end| *end > 0 && name.is_char_boundary(*end))?;
    let (stem, ending) = name.split_at(end);
    TYPES.iter().any(|known| known.eq_ignore_ascii_case(ending)).then_some(stem)
}

/// Finds the prefix before the name that `is_anchor` accepts: `ado_` of `ado_actionId` and `result.` of `result.ActionId`.
///
/// Of several prefixes the shortest counts.
pub(super) fn prefix_of<'n>(
    names: impl Iterator<Item = &'n str>,
    is_anchor: impl Fn(&str) -> bool,
) -> Option<&'n str> {
    names
        .filter(|name| name.len() <= LONGEST)
        .filter_map(|name| {
            let starts = name.char_indices().skip(1).map(|(at, _)| at);
            let at = starts.into_iter().find(|at| name.get(*at..).is_some_and(&is_anchor))?;
            name.get(..at)
        })
        .min_by_key(|prefix| prefix.len())
}

/// Returns a name without a prefix, in any casing of it.
pub(super) fn without_prefix<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let head = name.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &name[prefix.len()..]).filter(|rest| !rest.is_empty())
}

/// The letters that an accented letter of a European language is read as.
const fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ą' | 'ă' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' => "d",
        'é' | 'è' | 'ê' | 'ë' | 'ě' | 'ę' => "e",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ť' => "t",
        'ú' | 'ù' | 'û' | 'ü' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_accents_and_casing_make_no_difference() {
        for (name, expected) in [
            ("actor_cuid", "actorcuid"),
            ("Actor CUID", "actorcuid"),
            ("actor-C.u.i.d", "actorcuid"),
            ("OrganizaçõesAlvo", "organizacoesalvo"),
            ("E-mail", "email"),
            ("_id", "_id"),
            ("@Timestamp", "@timestamp"),
            ("", ""),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
        assert_eq!(untyped("scopeId_g"), Some("scopeId"));
        assert_eq!(untyped("data_S"), Some("data"));
        for name in ["_s", "ids", "id_x", "é", ""] {
            assert_eq!(untyped(name), None, "{name}");
        }
    }

    #[test]
    fn a_common_prefix_is_found_by_the_key_behind_it() {
        let is_anchor = |name: &str| name.eq_ignore_ascii_case("actionId");
        assert_eq!(prefix_of(["x", "ado_id", "ado_actionId"].into_iter(), is_anchor), Some("ado_"));
        assert_eq!(prefix_of(["AuditActionID"].into_iter(), is_anchor), Some("Audit"));
        assert_eq!(prefix_of(["actionId", "é"].into_iter(), is_anchor), None);
        assert_eq!(without_prefix("ADO_id", "ado_"), Some("id"));
        assert_eq!(without_prefix("ado_", "ado_"), None);
        assert_eq!(without_prefix("é", "a"), None);
    }
}
