"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // What a detection says of all its findings comes once.
  const said = (f) => data.detections[f.detection];
  const PAGE = 100;
  // On paper: more would be hundreds of sheets, and the CSV files hold every row.
  const PRINTED = 500;
  const SEVERITY = ["info", "low", "medium", "high", "critical"];
  const CONFIDENCE = ["low", "medium", "high"];
  const ADVICE = ["revoke", "reduce", "ask the owner", "watch", "nothing"];
  const SVG = "http://www.w3.org/2000/svg";

  // Controls, direction marks and invisible characters are written out: a name must not pose as another.
  const HIDDEN =
    /[\p{Cc}\u{ad}\u{34f}\u{61c}\u{115f}-\u{1160}\u{17b4}-\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{fffb}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
  const shown = (text) => String(text ?? "").replace(HIDDEN, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const day = (time) => (time ? time.slice(0, 10) : "");
  const clock = (time) => (time ? time.slice(0, 10) + " " + time.slice(11, 16) + " UTC" : "");
  const dashed = (word) => word.replace(/ /g, "-");

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    add(node, children);
    return node;
  }
  function add(node, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === "") continue;
      node.append(child instanceof Node ? child : document.createTextNode(shown(child)));
    }
  }
  function svg(tag, attributes, text) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = shown(text);
    return node;
  }
  // An address breaks after its @, a network before its /, rather than anywhere.
  const name = (text) => el("bdi", null, shown(text).split(/(?<=@)|(?=\/)/).flatMap((part, i) => (i ? [el("wbr"), part] : [part])));
  const code = (text) => el("code", null, text);
  const severity = (word) => el("span", { class: "sev " + word }, word);
  const label = (t) => (t.name && t.name.trim() ? t.name : t.token_id);
  const under = (text) => (text ? el("span", { class: "under" }, name(text)) : null);
  const advised = (t) => (t.advice.ask ? "ask " + t.advice.ask : t.advice.action);
  const advice = (t) => el("span", { class: "do " + dashed(t.advice.action) }, advised(t));

  function risk(value) {
    const bar = svg("svg", { viewBox: "0 0 100 14", "aria-hidden": "true", preserveAspectRatio: "none" });
    bar.append(svg("rect", { class: "rail", width: 100, height: 14 }));
    bar.append(svg("rect", { class: "fill" + (value >= 70 ? " hot" : value >= 40 ? " warm" : ""), width: value, height: 14 }));
    return el("span", { class: "risk" }, bar, String(Math.round(value)));
  }

  // A table that holds all rows as data and only a page of them as elements.
  function list({ id, file, caption, rows, text, columns, filters, start, detail }) {
    const table = document.getElementById(id + "-table");
    const tools = document.getElementById(id + "-tools");
    const pager = document.getElementById(id + "-pager");
    const hay = rows.map((r) => text(r).join("\n").toLowerCase());
    const state = { words: "", page: 0, sort: start, open: new Set(), all: false };
    const chosen = {};
    let visible = rows.map((_, i) => i);

    const input = el("input", { type: "search", placeholder: "Name, owner, id, …", autocomplete: "off", spellcheck: "false" });
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { state.words = input.value.trim().toLowerCase(); refresh(); }, 150);
    });
    tools.append(el("label", null, "Search", input));
    const selects = {};
    for (const f of filters) {
      const count = new Map();
      rows.forEach((r) => count.set(f.value(r), (count.get(f.value(r)) || 0) + 1));
      const values = [...count.keys()].sort(f.order ? (a, b) => f.order.indexOf(a) - f.order.indexOf(b) : undefined);
      if (values.length < 2 && !f.always) continue;
      const select = el("select", { change: () => { chosen[f.label] = select.value; refresh(); } },
        el("option", { value: "" }, "all"),
        values.map((v) => el("option", { value: v }, (f.words ? f.words(v) : v) + " (" + grouped(count.get(v)) + ")")));
      selects[f.label] = select;
      tools.append(el("label", null, f.label, select));
    }
    tools.append(el("button", { type: "button", click: () => set({}) }, "Clear"));

    const heads = columns.map((c, i) => {
      const button = el("button", { type: "button", click: () => {
        state.sort = { by: i, up: state.sort && state.sort.by === i ? !state.sort.up : !c.down };
        refresh();
      } }, c.title);
      return el("th", { scope: "col", class: c.number ? "num" : null }, button);
    });
    const body = el("tbody");
    table.append(el("caption", null, caption), el("thead", null, el("tr", null, heads)), body);

    const back = el("button", { type: "button", click: () => turn(-1) }, "Previous");
    const next = el("button", { type: "button", click: () => turn(1) }, "Next");
    const counter = el("span", { role: "status", "aria-live": "polite" });
    pager.append(back, next, counter);
    const cut = el("p", { class: "cut" });
    pager.after(cut);

    function turn(by) {
      state.page += by;
      draw();
      table.closest("section").scrollIntoView();
    }
    function set(values) {
      input.value = values.words || "";
      state.words = input.value.toLowerCase();
      for (const [key, select] of Object.entries(selects)) {
        select.value = values[key] || "";
        chosen[key] = select.value;
      }
      refresh();
    }
    function refresh() {
      const words = state.words.split(/\s+/).filter(Boolean);
      visible = [];
      rows.forEach((r, i) => {
        if (words.every((w) => hay[i].includes(w)) && filters.every((f) => !chosen[f.label] || f.value(r) === chosen[f.label])) visible.push(i);
      });
      // Rows come in the order of the report; a click on a head sorts them.
      if (state.sort) {
        const key = columns[state.sort.by].key;
        const keys = new Map(visible.map((i) => [i, key(rows[i])]));
        const sign = state.sort.up ? 1 : -1;
        visible.sort((a, b) => {
          const [x, y] = [keys.get(a), keys.get(b)];
          // What is not known stands last either way.
          if ((x === "" || y === "") && x !== y) return x === "" ? 1 : -1;
          return (x < y ? -1 : x > y ? 1 : 0) * sign || a - b;
        });
      }
      state.page = 0;
      draw();
    }
    function draw() {
      const from = state.all ? 0 : state.page * PAGE;
      const to = Math.min(from + (state.all ? PRINTED : PAGE), visible.length);
      const nodes = [];
      for (let at = from; at < to; at++) {
        const i = visible[at];
        const open = detail && (state.open.has(i));
        const row = el("tr", { class: (detail ? "row" : "") + (rows[i].suppressed ? " muted" : "") }, columns.map((c) =>
          el("td", { class: c.number ? "num" : c.fit ? "fit" : c.class || null }, c.cell(rows[i], i, open, () => {
            if (state.open.has(i)) state.open.delete(i); else state.open.add(i);
            draw();
            body.querySelector('[data-row="' + i + '"]')?.focus();
          }))));
        nodes.push(row);
        if (open) nodes.push(el("tr", { class: "detail" }, el("td", { colspan: columns.length }, detail(rows[i]))));
      }
      if (!nodes.length) nodes.push(el("tr", null, el("td", { colspan: columns.length }, rows.length ? "Nothing matches the filter." : "None.")));
      body.replaceChildren(...nodes);
      heads.forEach((head, i) => {
        if (state.sort && i === state.sort.by) head.setAttribute("aria-sort", state.sort.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      back.disabled = state.page === 0;
      next.disabled = to >= visible.length;
      back.hidden = next.hidden = visible.length <= PAGE;
      const of = visible.length === rows.length ? grouped(rows.length) : grouped(visible.length) + " (of " + grouped(rows.length) + ")";
      counter.textContent = visible.length ? grouped(from + 1) + " to " + grouped(to) + " of " + of : "0 of " + grouped(rows.length);
    }
    refresh();
    return { set, print(all) {
      state.all = all;
      draw();
      cut.textContent = all && visible.length > PRINTED ? "The first " + PRINTED + " of " + grouped(visible.length) + " rows; " + file + " holds all." : "";
    } };
  }

  function pairs(entries) {
    return el("dl", { class: "pairs" }, entries.filter(([, v]) => v !== null && v !== undefined && v !== "" && !(Array.isArray(v) && !v.length))
      .map(([k, v]) => el("div", null, el("dt", null, k), el("dd", null, v))));
  }
  // One click selects an address or a network as a whole, to copy it.
  const ADDRESS = /((?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?|[0-9a-f:]*::[0-9a-f:.]*(?:\/\d{1,3})?|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?:\/\d{1,3})?)/i;
  const whole = (text) => String(text).split(ADDRESS).map((part, i) => (i % 2 ? el("span", { class: "whole" }, part) : part));
  function value(v) {
    if (v === null || v === undefined) return "";
    if (Array.isArray(v)) return v.map(value).join("; ");
    return typeof v === "object" ? JSON.stringify(v) : String(v);
  }
  const ids = (list, total) => list.length
    ? [list.map((id, i) => [i ? " " : "", code(id)]).flat(), total > list.length ? " and " + grouped(total - list.length) + " more" : ""]
    : null;
  const places = new Map(data.tokens.map((t, i) => [t.org + "/" + t.token_id, i]));
  const tokenOf = (f) => (f.subject.kind === "token" ? places.get(f.org + "/" + f.subject.id) ?? -1 : -1);
  const subject = (f) => (f.subject.name && f.subject.name.trim() ? f.subject.name : f.subject.id);

  // A state holds until the instant of the run, and no event need be behind it.
  const happened = (f) => !f.stands;
  const span = (f) => (happened(f) ? clock(f.first_time) + " to " + clock(f.last_time) : f.first_time === f.last_time ? "" : "since " + clock(f.first_time));

  function evidence(f) {
    const at = tokenOf(f);
    return [pairs([
      ["Fix", said(f).fix],
      ...Object.entries(f.evidence).map(([k, v]) => [k.charAt(0).toUpperCase() + k.slice(1).replace(/_/g, " "), v === null || v === "" ? "" : whole(value(v))]),
      ["First to last", f.first_time ? span(f) : ""],
      ["Events", grouped(f.count)],
      ["Event ids", ids(f.event_ids, f.count)],
      ["Controls", said(f).controls.join(", ")],
      ["ATT&CK", said(f).attack.join(", ")],
      ["Decision", f.suppressed ? f.suppressed.decision + " by " + f.suppressed.reviewer + (f.suppressed.reviewer_is_owner ? " (the owner)" : "") + (f.suppressed.decided_on ? " on " + f.suppressed.decided_on : "") + (f.suppressed.until ? ", ends " + day(f.suppressed.until) : "") + (f.suppressed.reason ? ": " + f.suppressed.reason : "") : ""],
      ["Fingerprint", code(f.fingerprint)],
    ]), at >= 0 ? el("button", { type: "button", class: "more", click: () => dossier(at) }, "Open the token’s dossier") : null];
  }

  const findings = list({
    id: "f",
    file: "findings.csv",
    caption: "Findings by risk, severity and time; a row opens its evidence",
    rows: data.findings,
    text: (f) => [f.detection, said(f).slug, said(f).title, f.org, subject(f), f.subject.id, f.owner || "", f.message],
    start: null,
    detail: evidence,
    filters: [
      { label: "Severity", value: (f) => f.severity, order: [...SEVERITY].reverse(), always: true },
      { label: "Family", value: (f) => said(f).family, always: true },
      { label: "Confidence", value: (f) => f.confidence, order: [...CONFIDENCE].reverse(), always: true },
      { label: "Organisation", value: (f) => f.org },
      { label: "Decision", value: (f) => (f.suppressed ? f.suppressed.decision : "open") },
    ],
    columns: [
      { title: "Severity", fit: true, down: true, key: (f) => SEVERITY.indexOf(f.severity) * 3 + CONFIDENCE.indexOf(f.confidence), cell: (f) => severity(f.severity) },
      { title: "Confidence", fit: true, down: true, key: (f) => CONFIDENCE.indexOf(f.confidence), cell: (f) => el("span", { class: "conf" }, f.confidence) },
      { title: "What", class: "what", key: (f) => f.message.toLowerCase(), cell: (f, i, open, toggle) => [
        el("button", { type: "button", class: "open-row", "aria-expanded": open ? "true" : "false", "data-row": i, click: toggle }, el("span", null, name(f.message),
          under(f.detection + " " + said(f).title + (f.suppressed ? " · decision: " + f.suppressed.decision : "")))) ] },
      { title: "Subject", class: "who-col", key: (f) => subject(f).toLowerCase(), cell: (f) => {
        const at = tokenOf(f);
        return [at >= 0 ? el("button", { type: "button", class: "link", click: () => dossier(at) }, name(subject(f))) : name(subject(f)), under(f.owner || f.subject.kind)];
      } },
      { title: "Organisation", key: (f) => f.org, cell: (f) => name(f.org) },
      { title: "Last event", fit: true, down: true, key: (f) => (happened(f) && f.last_time) || "", cell: (f) => (happened(f) ? day(f.last_time) : el("span", { title: "A state, which stands at the instant of the run" }, "stands")) },
      { title: "Events", number: true, down: true, key: (f) => f.count, cell: (f) => grouped(f.count) },
    ],
  });

  function scopesInShort(t) {
    const count = {};
    t.scope.forEach((s) => { count[s.state] = (count[s.state] || 0) + 1; });
    const text = ["beyond-grant", "used", "not-seen", "cannot-be-seen"].filter((s) => count[s]).map((s) => count[s] + " " + s.replace(/-/g, " "));
    return t.scopes === null && !text.length ? "grant unknown" : text.join(", ");
  }
  const useWords = new Map(data.tokens.map((t) => [t.use.verdict, t.use.words]));
  const tokens = list({
    id: "t",
    file: "tokens.csv",
    caption: "Tokens with their verdicts; a name opens the dossier",
    rows: data.tokens,
    text: (t) => [t.name || "", t.token_id, t.owner || "", t.org, (t.scopes || []).join(" "), t.use.reason, t.advice.reason],
    start: { by: 2, up: true },
    filters: [
      { label: "Advice", value: (t) => t.advice.action, order: ADVICE, always: true },
      { label: "Use", value: (t) => t.use.verdict, words: (v) => useWords.get(v), always: true },
      { label: "State", value: (t) => t.state, always: true },
      { label: "Owner", value: (t) => t.owner_state },
      { label: "Decision", value: (t) => (t.decision ? t.decision.decision + ", " + t.decision.status : "none") },
      { label: "Organisation", value: (t) => t.org },
    ],
    columns: [
      { title: "Token", class: "who-col", key: (t) => label(t).toLowerCase(), cell: (t, i) => [
        el("button", { type: "button", class: "link", click: () => dossier(i) }, name(label(t))), under(t.org)] },
      { title: "Owner", class: "who-col", key: (t) => t.owner || "", cell: (t) => [name(t.owner || "unknown"), t.owner_state === "active" ? null : under(t.owner_state)] },
      { title: "Advice", fit: true, key: (t) => ADVICE.indexOf(t.advice.action) * 1e9 + t.rank, cell: (t) => advice(t) },
      { title: "Risk", number: true, down: true, key: (t) => t.risk, cell: (t) => risk(t.risk) },
      { title: "Use", class: "mid", key: (t) => t.use.words, cell: (t) => [t.use.words, under(t.use.confidence + " confidence")] },
      { title: "Last change", fit: true, down: true, key: (t) => t.use.last_observed_ever || "", cell: (t) => day(t.use.last_observed_ever) || "none seen" },
      { title: "Ends", fit: true, key: (t) => t.valid_to || "", cell: (t) => [day(t.valid_to) || "unknown", under(t.state)] },
      { title: "Scopes", class: "mid", key: (t) => t.scope.length, cell: (t) => el("span", { class: "conf" }, scopesInShort(t)) },
      { title: "Findings", number: true, down: true, key: (t) => t.findings.length, cell: (t) => String(t.findings.length) },
    ],
  });

  function block(title, ...children) {
    const nodes = children.flat().filter((c) => c !== null && c !== undefined && c !== "");
    return nodes.length ? el("section", null, el("h3", null, title), nodes) : null;
  }
  function small(caption, heads, rows) {
    if (!rows.length) return null;
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, el("table", null, el("caption", null, caption),
      el("thead", null, el("tr", null, heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", null, rows.map((r) => el("tr", null, r.map((c) => el("td", null, c)))))));
  }
  function top(title, rows) {
    if (!rows.length) return null;
    const shownRows = rows.slice(0, 12);
    return el("div", null, el("table", null, el("caption", null, title + (rows.length > 12 ? " (12 of " + rows.length + ")" : "")),
      el("tbody", null, shownRows.map(([v, n]) => el("tr", null, el("td", null, el("span", { class: "whole" }, name(v))), el("td", { class: "num" }, grouped(n)))))));
  }
  const dayNumber = (text) => Math.round(Date.parse(text + "T00:00:00Z") / 86400000);

  function timeline(t) {
    const days = t.activity.per_day;
    const first = dayNumber(data.window_from);
    const n = data.window_days;
    const marks = t.life.filter((l) => { const d = dayNumber(day(l.time)); return d >= first && d < first + n; });
    if (!days.length && !marks.length) return null;
    const [w, h] = [900, 120];
    const most = Math.max(1, ...days.map((d) => d[1]));
    const x = (d) => 8 + (d - first) * ((w - 16) / n);
    const total = days.reduce((sum, d) => sum + d[1], 0);
    const chart = svg("svg", { viewBox: "0 0 " + w + " " + (h + 22), class: "life-line", role: "img",
      "aria-label": grouped(total) + " audited events on " + days.length + " days, at most " + most + " a day" });
    chart.append(svg("line", { x1: 8, x2: w - 8, y1: h, y2: h }));
    for (const [d, count] of days) {
      const height = Math.max(2, (count / most) * (h - 26));
      const bar = svg("rect", { x: x(dayNumber(d)).toFixed(1), y: (h - height).toFixed(1), width: Math.max(1, (w - 16) / n - 1.5).toFixed(1), height: height.toFixed(1) });
      bar.append(svg("title", {}, d + ": " + count + " events"));
      chart.append(bar);
    }
    for (const l of marks) {
      const at = x(dayNumber(day(l.time))).toFixed(1);
      const line = svg("line", { class: "mark", x1: at, x2: at, y1: 8, y2: h });
      line.append(svg("title", {}, day(l.time) + ": " + l.text));
      chart.append(line);
    }
    chart.append(svg("text", { x: 8, y: h + 15 }, data.window_from), svg("text", { x: w - 8, y: h + 15, "text-anchor": "end" }, day(data.as_of)));
    if (days.length) chart.append(svg("text", { x: 8, y: 13 }, "most a day: " + most));
    return [chart, el("p", { class: "fine" }, "Audited events a day." + (marks.length ? " Dashed: a change in the token’s life." : ""))];
  }
  function hours(t) {
    const numbers = t.activity.hours;
    if (numbers.length !== 168 || !numbers.some((n) => n)) return null;
    const most = Math.max(...numbers);
    const chart = svg("svg", { viewBox: "0 0 560 160", class: "heat", role: "img", "aria-label": "Audited events by hour of the week, UTC" });
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].forEach((d, i) => chart.append(svg("text", { x: 0, y: 14 + i * 20 }, d)));
    numbers.forEach((n, i) => {
      const cell = svg("rect", { x: 34 + (i % 24) * 21.8, y: 2 + Math.floor(i / 24) * 20, width: 20, height: 17, "fill-opacity": (0.06 + 0.94 * n / most).toFixed(3) });
      cell.append(svg("title", {}, n + " events"));
      chart.append(cell);
    });
    [0, 6, 12, 18].forEach((hour) => chart.append(svg("text", { x: 34 + hour * 21.8, y: 155 }, String(hour).padStart(2, "0") + ":00")));
    return [chart, el("p", { class: "fine" }, "Hour of the week, UTC.")];
  }
  function proposals(t) {
    const show = (title, scopes, why) => el("div", { class: "proposal" }, el("h4", null, title), el("p", null, scopes.length ? scopes.map((s) => [code(s), " "]).flat() : "no scope"), el("p", { class: "fine" }, why));
    const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    const out = [];
    if (t.proposed_scopes && !same(t.proposed_scopes, t.scopes)) out.push(show("Safe proposal", t.proposed_scopes, "Lowers only scopes whose use the log would have shown in full."));
    if (t.reduced_scopes && !same(t.reduced_scopes, t.proposed_scopes) && !same(t.reduced_scopes, t.scopes)) out.push(show("Confirm with the owner", t.reduced_scopes, "Also lowers scopes with known exceptions; the operations without a trace would break if they matter."));
    const start = t.start_scopes || t.observed_scopes;
    const strange = t.strange_scopes.length ? " Left out, since only events under an open anomaly needed them: " + t.strange_scopes.join(", ") + "." : "";
    if (!t.proposed_scopes && start && (start.length || strange)) out.push(show("Start here and ask", start, "The least set that the audited events need." + strange));
    return out;
  }

  const dialog = document.getElementById("dossier");
  // `named`: the address names it already, as on Back, Forward and a link from elsewhere.
  function dossier(i, named) {
    const t = data.tokens[i];
    const mine = t.findings.map((at) => data.findings[at]);
    const known = (v, words) => (v === null || v === undefined ? "unknown" : words(v));
    const head = el("div", { class: "d-head" },
      el("div", null, el("h2", { id: "d-title" }, name(label(t))),
        el("p", { class: "fine" }, name(t.owner || "owner unknown"), " · ", name(t.org), " · ", code(t.token_id))),
      el("button", { type: "button", class: "close", click: () => dialog.close() }, "Close"));
    const body = el("div", { class: "d-body" },
      el("div", { class: "verdict " + dashed(t.advice.action) },
        el("p", null, el("strong", null, { revoke: "Revoke", reduce: "Reduce", "ask the owner": t.advice.ask ? "Ask " + t.advice.ask : "Ask the owner", watch: "Watch", nothing: "Nothing to do" }[t.advice.action]),
          t.advice.reason ? ": " + t.advice.reason : ""),
        el("p", null, t.use.words + ", confidence " + t.use.confidence + "; " + t.use.last_change + ".", t.use.reason && t.use.reason !== t.advice.reason ? " " + t.use.reason : "")),
      el("div", { class: "d-cols" },
        block("Grant and owner", pairs([
          ["State", t.state + (t.revoked_at ? ", revoked " + clock(t.revoked_at) : "")],
          ["Found in public", t.leaked_at ? clock(t.leaked_at) : ""],
          ["Owner", [name(t.owner || "unknown"), " (" + t.owner_state + (t.owner_gone_at ? " since " + day(t.owner_gone_at) : "") + ")"]],
          ["Created", day(t.valid_from) || "unknown"],
          ["Ends", day(t.valid_to) || "unknown"],
          ["Reaches", known(t.all_orgs, (all) => (all ? "all organisations of the owner" : "this organisation"))],
          ["Known from", t.known_from.join(", ")],
          ["Decision", t.decision ? [t.decision.decision + " by " + t.decision.reviewer + (t.decision.reviewer_is_owner ? " (the owner)" : "") + " on " + t.decision.decided_on + (t.decision.end_date ? ", until " + t.decision.end_date : "") + ": " + t.decision.reason, under(t.decision.status + ". " + t.decision.note)] : ""],
          ["Scopes", t.scopes ? t.scopes.map((s) => [code(s), " "]).flat() : "unknown: no inventory lists the grant"],
        ])),
        block("Use", pairs([
          ["Audited events", grouped(t.use.events) + " in the window"],
          ["Last in the window", clock(t.use.last_observed) || "none"],
          ["Last ever held", clock(t.use.last_observed_ever) || "none"],
          ["Covered days", String(t.use.covered_days)],
          ["Newest events", ids(t.use.event_ids, t.use.events)],
          ["Risk", [risk(t.risk), t.risk_parts.map((p) => under("+" + Math.round(p.points) + " " + p.reason))].flat()],
        ]))),
      block("Who works with it, and whom to ask", pairs([
        ["Works with it", t.dependence.worker + ". " + t.dependence.reason],
        ["Ask", name(t.dependence.ask)],
        ["Could move to", t.dependence.move_to],
        ["Ends for all", t.dependence.ends_for_all],
        ["Generation", t.rotation.generation ? t.rotation.generation + " of " + t.rotation.generations.length : ""],
        ["Secret the same since", day(t.rotation.secret_since)],
        ["Rotation", t.rotation.notes.map(name)],
      ]), small("Places that seem to hold it", ["Client", "Network", "Audited events", "When", "Mostly", "Projects"], t.dependence.integrations.map((p) => [
        name(p.client || "unknown"), el("span", { class: "whole" }, name(p.network || "unknown")), grouped(p.events), p.cadence, name(p.actions.join(", ")), name(p.projects.join(", "))]))),
      block("Timeline", timeline(t), small("Life, as audited events tell it", ["When", "What", "By", "From", "With"],
        t.life.map((l) => [clock(l.time), [name(l.text), under(l.action)], name(l.actor), el("span", { class: "whole" }, name(l.network)), name(l.client)]))),
      block("Scopes", proposals(t), small("Scope by scope", ["Scope", "State", "Visibility", "Confidence", "Needed by, or not visible"], t.scope.map((s) => [
        code(s.scope), el("span", { class: "s-" + s.state, title: data.scope_states[s.state] }, s.state.replace(/-/g, " ")), s.visibility, s.confidence,
        [s.actions.length ? s.actions.slice(0, 5).map((a) => a.action + " (" + grouped(a.events) + ")").join(", ") : "",
          s.unseen_operations.length ? under("leaves no trace: " + s.unseen_operations.join("; ")) : ""].filter(Boolean)]))),
      block("Findings", mine.map((f) => el("details", { open: mine.length < 4 }, el("summary", null, severity(f.severity), " ", name(f.message)), evidence(f).slice(0, 1)))),
      t.activity.actions.length ? block("What it did", el("div", { class: "d-cols" },
        top("Actions", t.activity.actions), top("Networks", t.activity.networks), top("Clients", t.activity.clients), top("Projects", t.activity.projects)), hours(t)) : null,
      block("What could not be seen", el("p", null, data.invisible), data.coverage[t.org] ? el("p", null, data.coverage[t.org]) : null,
        t.reaches_unseen_orgs ? el("p", null, "It reaches organisations that are not in the lake; what it did there was not seen.") : null));
    dialog.replaceChildren(head, body);
    const open = dialog.open;
    if (!open) dialog.showModal();
    dialog.scrollTop = 0;
    const hash = "#token=" + encodeURIComponent(t.org + "/" + t.token_id);
    if (named) return;
    // Back closes the dossier, rather than leaving the report.
    if (open) history.replaceState(history.state, "", hash);
    else history.pushState({ opened: true }, "", hash);
  }
  dialog.addEventListener("close", () => {
    if (!location.hash.startsWith("#token=")) return;
    if (history.state && history.state.opened) history.back();
    else history.replaceState(null, "", "#tokens");
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-token], [data-advice]");
    if (!button) return;
    if (button.dataset.token) dossier(Number(button.dataset.token));
    else {
      tokens.set({ Advice: button.dataset.advice });
      document.getElementById("tokens").scrollIntoView();
    }
  });
  function route() {
    const at = location.hash.startsWith("#token=") ? decodeURIComponent(location.hash.slice(7)) : "";
    if (places.has(at)) dossier(places.get(at), true);
    else if (dialog.open) dialog.close();
  }
  addEventListener("hashchange", route);
  addEventListener("popstate", route);
  // Paper cannot turn pages of a table or open a fold.
  let folded = [];
  addEventListener("beforeprint", () => {
    findings.print(true);
    tokens.print(true);
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => {
    findings.print(false);
    tokens.print(false);
    folded.forEach((d) => { d.open = false; });
  });
  route();
})();
