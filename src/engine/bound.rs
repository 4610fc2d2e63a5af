//! How much a query may be, told before it is parsed.
//!
//! In: SQL text. Out: nothing, or a [`EngineError`] that names the bound. A chain such as `1 + 1 + 1` is a tree as deep as
//! it is long. The parser builds it in a loop, but whoever walks, plans or drops it goes down step by step, and a stack that
//! overflows takes the whole process along: no detection alone could then be listed as not run.

use super::{EngineError, EngineErrorKind};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Bytes of the text: several tables of constants, or a list of ten thousand ids.
const BYTES: usize = 1 << 20;

/// Steps, counted over the whole query. The longest of the pack has some two hundred; plans of five times as many take
/// seconds, of ten times as many a minute and gigabytes, for their cost grows with the square.
const STEPS: usize = 1000;

/// A join or a further SELECT costs as much as so many operators.
const PLAN: usize = 4;

/// Refuses a query that is too much.
pub(super) fn within(sql: &str) -> Result<(), EngineError> {
    let refuse = |text: String, hint: &str| Err(EngineError::new(EngineErrorKind::Refused, text, hint));
    if sql.len() > BYTES {
        return refuse(
            format!("The query is {} bytes long; at most {BYTES} are taken.", sql.len()),
            "Import long lists as a table, or split the query.",
        );
    }
    // What is no token the parser tells better.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let steps: usize = tokens.iter().map(step).sum();
    if steps > STEPS {
        return refuse(
            format!(
                "The query has {steps} operators, conditions, joins and the like; at most {STEPS} are taken."
            ),
            "Write IN (...) in place of many OR, or split the query.",
        );
    }
    Ok(())
}

/// What a token adds to the depth of a plan. Names, texts, numbers, dots, commas and brackets add nothing: lists are flat, and
/// how deep brackets may nest the parser bounds.
fn step(token: &Token) -> usize {
    match token {
        Token::Word(word) if word.quote_style.is_none() => match word.keyword {
            Keyword::SELECT
            | Keyword::JOIN
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::VALUES => PLAN,
            Keyword::AND
            | Keyword::OR
            | Keyword::XOR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::SIMILAR
            | Keyword::BETWEEN
            | Keyword::WHEN
            | Keyword::DIV
            | Keyword::AT
            | Keyword::COLLATE
            | Keyword::OVER => 1,
            _ => 0,
        },
        Token::Word(_)
        | Token::EOF
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(_) => 0,
        // Every other sign is an operator, or nothing that a query needs often.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{check, pack, views};
    use super::*;

    fn steps(sql: &str) -> usize {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().expect("tokens");
        tokens.iter().map(step).sum()
    }

    #[test]
    fn what_is_built_in_stays_far_below() {
        let pack = pack::Pack::builtin().expect("the pack");
        let texts = pack.detections.iter().map(|d| d.sql.clone());
        let texts = texts.chain(pack::saved().into_iter().map(|q| q.sql));
        for sql in texts.chain(views::VIEWS.iter().map(|v| v.sql.to_owned())) {
            assert!(steps(&sql) * 3 < STEPS, "{}: {}", steps(&sql), sql.lines().nth(1).unwrap_or(&sql));
        }
    }

    #[test]
    fn long_chains_are_refused_before_they_are_parsed() {
        for (begin, link, end) in [
            ("SELECT 1", "+1", " AS n FROM events"),
            ("SELECT org FROM events WHERE org = 'a'", " OR org = 'b'", ""),
            ("SELECT org FROM events", " UNION ALL SELECT org FROM events", ""),
            ("SELECT CASE ", "WHEN n = 1 THEN 2 ", "END AS n FROM events"),
            ("SELECT n", "::int", " AS n FROM events"),
            ("SELECT n", "[1]", " AS n FROM events"),
            ("SELECT n", " IS NULL", " AS n FROM events"),
            ("SELECT ", "- ", "n FROM events"),
            ("SELECT n FROM events", " JOIN events USING (id)", ""),
            ("SELECT n", " AT TIME ZONE 'UTC'", " AS n FROM events"),
            ("SELECT n", " COLLATE x", " AS n FROM events"),
        ] {
            for times in [2_000, 20_000] {
                let sql = format!("{begin}{}{end}", link.repeat(times));
                let error = check::inspect(&sql).expect_err("too much");
                assert_eq!(error.kind, EngineErrorKind::Refused);
                assert!(error.text.contains("at most"), "{begin}: {}", error.text);
            }
        }
        let list = "'0a1b2c3d', ".repeat(20_000);
        assert!(check::inspect(&format!("SELECT org FROM events WHERE org IN ({list}'x')")).is_ok());
        assert!(check::inspect(&format!("SELECT 1 -- {}", "x".repeat(BYTES))).is_err());
        // What nests, the parser bounds.
        assert!(check::inspect(&format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000))).is_err());
    }
}
