//! Decisions are a file that lives anywhere: a sheet works on a fresh lake, on `--from` and by the configuration, and is
//! judged by its state mark. A leak cannot be signed away.

use crate::support::{Log, OWNER, Place, guid, inventory, pat};
use serde_json::{Value, json};

/// Sixty days of office work, and a list of three tokens.
fn week(place: &Place, folder: &str, scopes: [&str; 3], leaked: bool) {
    let mut log = Log::default();
    log.office(60);
    if leaked {
        let leak = json!({ "AuthorizationId": guid(3), "DisplayName": "three", "OwnerId": OWNER });
        log.add("2026-02-21T09:00:00Z", "Token.PatPublicDiscoveryEvent", "AAD_Cookie", leak);
    }
    place.write(&format!("{folder}/audit.json"), log.page());
    let [one, two, three] = scopes;
    let list = [pat(&guid(1), "one", one), pat(&guid(2), "two", two), pat(&guid(3), "three", three)];
    place.write(&format!("{folder}/inventory.json"), inventory(&list));
}

/// Fills in the sheet: the same reviewer and day for every row, a decision and an end for each token.
fn filled(place: &Place, sheet: &str, decisions: [(&str, &str); 3], reviewer: &str) -> Vec<u8> {
    let mut reader = csv::Reader::from_path(place.path(sheet)).expect("sheet");
    let head = reader.headers().expect("head").clone();
    let at = |name: &str| head.iter().position(|h| h == name).expect("column");
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&head).expect("memory");
    for record in reader.records() {
        let mut row: Vec<String> = record.expect("row").iter().map(str::to_owned).collect();
        let n = (1..=3).find(|n| guid(*n) == row[at("token_id")]).expect("a token");
        let (decision, end) = decisions[usize::try_from(n - 1).expect("small")];
        for (name, cell) in [
            ("decision", decision),
            ("reviewer", reviewer),
            ("decided_on", "2026-03-01"),
            ("reason", "asked"),
            ("end_date", end),
        ] {
            row[at(name)] = cell.to_owned();
        }
        out.write_record(&row).expect("memory");
    }
    out.into_inner().expect("memory")
}

fn decision(tokens: &Value, n: u64) -> Value {
    let rows = tokens["tokens"].as_array().expect("tokens");
    rows.iter().find(|t| t["token_id"] == guid(n)).expect("the token")["decision"].clone()
}

#[test]
fn a_sheet_works_on_a_fresh_lake_on_files_and_by_the_configuration() {
    let place = Place::new();
    let scopes = ["vso.code", "vso.auditstreams_manage", "vso.build"];
    week(&place, "week-1", scopes, false);
    let ran = place.run(&["--lake", "lake-1", "import", "week-1", "--taken", "2026-02-28T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(place.run(&["--lake", "lake-1", "review", "export", "sheet.csv"]).code, 0);
    let keep = [("keep", ""), ("revoke", ""), ("exception", "2026-12-31")];
    place.write("back.csv", filled(&place, "sheet.csv", keep, "Zoe"));

    // A week later everything is pulled into a new lake, whose list is newer than the sheet; one grant is wider.
    week(&place, "week-2", ["vso.code_full", "vso.auditstreams_manage", "vso.build"], false);
    let later = ["--taken", "2026-03-05T00:00:00Z"];
    let check = |tokens: &Value| {
        let wider = decision(tokens, 1);
        assert_eq!((&wider["status"], &wider["changed"]), (&json!("ended"), &json!(["scopes"])), "{wider}");
        assert!(wider["note"].as_str().is_some_and(|n| n.contains("changed since: scopes")), "{wider}");
        assert_eq!(decision(tokens, 2)["status"], "not done");
        assert_eq!(decision(tokens, 3)["holds"], true);
    };
    let run = |args: &[&str], more: &[&str]| {
        let all = [
            args,
            &["tokens", "--format", "json", "--from", "week-2", "--as-of", "2026-03-06"],
            &later[..],
            more,
        ]
        .concat();
        place.run(&all)
    };
    let by_option = run(&[], &["--decisions", "back.csv"]);
    assert_eq!(by_option.code, 0, "{}", by_option.stderr);
    assert!(by_option.stderr.contains("back.csv: 3 decisions used"), "{}", by_option.stderr);
    check(&by_option.json());
    place.write("own.toml", "decisions = [\"back.csv\"]\n");
    let by_config = run(&["--config", "own.toml"], &[]);
    assert_eq!(by_config.code, 0, "{}", by_config.stderr);
    check(&by_config.json());
    assert_eq!(decision(&run(&[], &[]).json(), 1), Value::Null, "without the file there is no decision");

    let ran = place.run(&["--lake", "lake-2", "import", "week-2", "--taken", "2026-03-05T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.run(&["--lake", "lake-2", "review", "import", "back.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("3 decisions taken (1 keep, 1 revoke, 1 exception)"), "{}", ran.stderr);
    check(&place.run(&["--lake", "lake-2", "tokens", "--format", "json", "--as-of", "2026-03-06"]).json());

    // A row that cannot be taken is named, the others count, and the run ends with 2.
    let text = String::from_utf8(filled(&place, "sheet.csv", keep, "Zoe")).expect("UTF-8");
    place.write("bad.csv", text.replacen(",keep,", ",burn,", 1));
    let bad = run(&[], &["--decisions", "bad.csv"]);
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("bad.csv:") && bad.stderr.contains("2 decisions used"), "{}", bad.stderr);
    assert_eq!(run(&[], &["--decisions", "none.csv"]).code, 2);
}

#[test]
fn a_leak_cannot_be_signed_away_and_the_owner_is_marked() {
    let place = Place::new();
    week(&place, "in", ["vso.code", "vso.build", "vso.code"], true);
    let ran = place.run(&["import", "in", "--taken", "2026-02-28T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(place.run(&["review", "export", "sheet.csv"]).code, 0);
    let keep = [("keep", ""), ("keep", ""), ("keep", "")];
    place.write("keep.csv", filled(&place, "sheet.csv", keep, "ann@contoso.example"));
    let ran = place.run(&["review", "import", "keep.csv"]);
    assert_eq!(ran.code, 2);
    let reason = "keep is refused: it was found in public on 2026-02-21, and only revoke, or exception with an end date, is accepted";
    assert!(
        ran.stderr.contains(reason) && ran.stderr.contains("2 decisions taken (2 keep)"),
        "{}",
        ran.stderr
    );

    let ran = place.run(&["check", "--format", "json", "--decisions", "keep.csv"]);
    let findings = ran.json();
    let open = |n: u64| {
        let rows = findings["findings"].as_array().expect("findings").iter();
        let own: Vec<&Value> = rows.filter(|f| f["subject"]["id"] == guid(n)).collect();
        assert!(!own.is_empty());
        own.iter().filter(|f| f["suppressed"].is_null()).count()
    };
    assert_eq!(open(1), 0, "{}", ran.stdout);
    assert!(open(3) > 0, "a refused decision covers nothing");
    let first =
        findings["findings"].as_array().expect("findings").iter().find(|f| !f["suppressed"].is_null());
    assert_eq!(first.expect("one is covered")["suppressed"]["reviewer_is_owner"], true);
    let tokens = place.run(&["tokens", "--format", "json", "--decisions", "keep.csv"]).json();
    let refused = decision(&tokens, 3);
    assert_eq!((&refused["status"], &refused["holds"]), (&json!("refused"), &json!(false)), "{refused}");
    assert_eq!(decision(&tokens, 1)["reviewer_is_owner"], true);

    let bound = [("keep", ""), ("keep", ""), ("exception", "2026-03-31")];
    place.write("bound.csv", filled(&place, "sheet.csv", bound, "Zoe"));
    let ran = place.run(&["review", "import", "bound.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_review_says_how_far_it_has_come_and_what_it_made_of_the_detections() {
    let place = Place::new();
    week(&place, "in", ["vso.code", "vso.auditstreams_manage", "vso.build"], false);
    let ran = place.run(&["import", "in", "--taken", "2026-02-28T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.run(&["review", "export", "sheet.csv", "--owner", "ANN@"]);
    assert!(ran.code == 0 && ran.stderr.contains("3 tokens to review in sheet.csv"), "{}", ran.stderr);
    let ran = place.run(&["review", "export", "nobody.csv", "--owner", "nobody-of-that-name"]);
    assert!(ran.stderr.contains("no token in force has an owner that contains"), "{}", ran.stderr);
    let decided = [("keep", ""), ("revoke", ""), ("exception", "2026-12-31")];
    place.write("back.csv", filled(&place, "sheet.csv", decided, "ann@contoso.example"));

    let report = |period: &str, output: &str| {
        place.write("own.toml", format!("decisions = [\"back.csv\"]\n[review]\nperiod = \"{period}\"\n"));
        let ran = place.run(&["--config", "own.toml", "report", "--output", output, "--as-of", "2026-03-01"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let read = |name: &str| std::fs::read_to_string(place.path(output).join(name)).expect("a file");
        (ran.stderr, ["summary.md", "index.html", "decisions.csv", "charts/review.svg"].map(read))
    };
    let (shown, [summary, page, decisions, chart]) = report("2026-03-01..", "bundle");
    let sentence = "3 of 3 tokens in force decided since 2026-03-01 (100 %), 0 open, 1 not done";
    assert!(shown.trim_end().ends_with(sentence), "the last line: {shown}");
    for (name, text) in [("summary", &summary), ("page", &page), ("chart", &chart)] {
        assert!(text.contains(sentence), "{name} lacks the sentence");
    }
    // The reviewer is the owner, which every output says.
    let owner = "ann@contoso.example (the owner)";
    assert!(summary.contains("\\(the owner\\)"), "{summary}");
    assert!(page.contains(owner), "the page does not mark the owner");
    let dossier = place.run(&["token", &guid(2), "--decisions", "back.csv", "--as-of", "2026-03-01"]);
    assert!(dossier.stdout.replace(['\n', '│'], " ").contains("(the owner)"), "{}", dossier.stdout);
    let mut reader = csv::Reader::from_reader(decisions.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    let mut statuses: Vec<&str> = rows.iter().map(|r| &r[4]).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["done", "done", "not done"]);
    assert!(rows.iter().all(|r| &r[7] == "true"), "{rows:?}");

    // Nothing was decided in a later period.
    let (shown, [_, _, decisions, _]) = report("2026-03-02..", "later");
    assert!(
        shown.contains("0 of 3 tokens in force decided since 2026-03-02 (0 %), 3 open, 0 not done"),
        "{shown}"
    );
    assert_eq!(decisions.matches(",open,").count(), 3, "{decisions}");

    // Owners do not judge detections; others do.
    place.write("other.csv", filled(&place, "sheet.csv", [("revoke", ""); 3], "Zoe"));
    let scores = |file: &str| {
        let args =
            ["detections", "scorecard", "--decisions", file, "--as-of", "2026-03-01", "--format", "json"];
        let ran = place.run(&args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let rows = ran.json().as_array().expect("rows").clone();
        let sum = |column: &str| rows.iter().map(|r| r[column].as_u64().expect("a number")).sum::<u64>();
        assert!(rows.iter().all(|r| r["proposal"] == ""), "three decisions propose nothing");
        (sum("confirmed"), sum("accepted") + sum("dismissed"), sum("by_owner"))
    };
    let (of_owner, of_other) = (scores("back.csv"), scores("other.csv"));
    assert!(of_owner.0 + of_owner.1 == 0 && of_owner.2 > 0, "{of_owner:?}");
    assert!(of_other.0 > 0 && of_other.1 + of_other.2 == 0, "{of_other:?}");
}
