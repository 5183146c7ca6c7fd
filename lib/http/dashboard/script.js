
// Shows each state that the service sends. Only textContent is ever set, so that nothing is read as HTML.
const byId = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");
const rate = (n) => (n >= 100 ? number(Math.round(n)) : n.toFixed(1));
const clock = (iso) => new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

// A screen reader says again what is set again.
function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

function bytes(n) {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

const milliseconds = (v) => (v === null ? "–" : `${v < 10 ? v.toFixed(2) : v.toFixed(0)} ms`);

// Keeps as many children as there are rows, each made once and filled anew.
function showRows(box, rows, make, fill) {
  while (box.childElementCount > rows.length) box.lastElementChild.remove();
  rows.forEach((row, i) => {
    if (!box.children[i]) box.append(make());
    fill(box.children[i], row);
  });
}

function tableRow(classes) {
  return () => {
    const row = document.createElement("tr");
    for (const name of classes) {
      const cell = document.createElement("td");
      cell.className = name;
      row.append(cell);
    }
    return row;
  };
}

function fillCells(row, words) {
  words.forEach((w, i) => put(row.children[i], w));
}

const lines = {
  database: [new History()], redis: [new History()], flow: [new History(), new History()],
};
let last = null;  // the state before

const sum = (routes, name) => routes.reduce((all, r) => all + r[name], 0);
const waitingWords = (n) => (n === 1 ? "1 delivery waits" : `${number(n)} deliveries wait`);
const parkedWords = (n) => (n === 1 ? "1 event is parked in Postgres" : `${number(n)} events are parked in Postgres`);

// [state, headline, detail]
function verdict(s) {
  const { overall, components: c, role, stopping } = s.readiness;
  const kept = [];
  if (s.stats.waiting > 0) kept.push(waitingWords(s.stats.waiting));
  if (s.stats.parked > 0) kept.push(parkedWords(s.stats.parked));
  const waits = kept.length ? kept.join(", ") + ", nothing is lost." : "Nothing waits; what comes is kept, and leaves in order.";
  if (stopping) return ["warn", "Stopping", waits];
  if (c.database.status !== "up" && c.redis.status !== "up")
    return ["bad", `Postgres and Redis are away since ${clock(later(c.database.since, c.redis.since))}`, waits];
  if (c.redis.status !== "up") return ["bad", `Redis is away since ${clock(c.redis.since)}`, waits];
  if (c.database.status !== "up")
    return ["bad", `Postgres is away since ${clock(c.database.since)}`, "Open groups leave on time; Postrider listens again as soon as it answers."];
  if (s.breaker.state !== "closed") return ["bad", `Redis refuses since ${clock(s.breaker.since)}`, waits];
  if (c.listener.status !== "up")
    return ["warn", role === "standby" ? "Not ready to take over yet" : "Not taking events yet", c.listener.detail || ""];
  if (role === "standby") return ["ok", "Standing by", "Another process leads; this one is ready to take over."];
  if (c.redis.detail) return ["warn", "Redis does not take everything", waits];
  if (s.stats.parking) return ["warn", "Catching up", waits];
  if (overall !== "up") return ["warn", "Not ready", ""];
  const { events_per_second: seen, deliveries_per_second: sent, open } = s.stats;
  const quiet = seen === 0 && sent === 0;
  const held = open === 1 ? "1 group is open" : `${number(open)} groups are open`;
  return ["ok", "Delivering", quiet ? `Quiet at the moment; ${held}.` : `${rate(seen)} events in and ${rate(sent)} deliveries out a second; ${held}.`];
}

const later = (a, b) => (a > b ? a : b);

function showHeadline([state, words, detail]) {
  byId("headline").dataset.state = state;
  put(byId("headline-words"), words);
  put(byId("headline-detail"), detail);
  document.title = `${words} – Postrider`;
}

// The detail of what is up tells of trouble, unless it is `usual`.
function showComponent(id, c, now, upWords, downWords, usual = false) {
  const panel = byId(id);
  const up = c.status === "up";
  panel.dataset.state = !up ? "bad" : c.detail && !usual ? "warn" : "ok";
  put(panel.querySelector(".state"), up ? upWords : downWords);
  put(panel.querySelector(".since"), c.since ? `since ${clock(c.since)} (${duration((now - Date.parse(c.since)) / 1000)})` : "");
  put(panel.querySelector(".detail"), c.detail || "");
}

function showLine(id, words) {
  const panel = byId(id);
  drawLines(panel.querySelector("svg"), lines[id]);
  put(panel.querySelector(".latest"), words);
}

// Between this state and the one before; null where there is none, or the service started anew.
function change(s, value) {
  if (!last || s.stats.uptime_seconds < last.stats.uptime_seconds) return null;
  return value(s) - value(last);
}

function showFlow(s) {
  const span = change(s, (x) => x.stats.uptime_seconds);
  const perSecond = (name) => (span > 0 ? Math.max(0, change(s, (x) => sum(x.stats.routes, name)) / span) : null);
  lines.flow[0].add(perSecond("events"));
  lines.flow[1].add(perSecond("pushed"));
  put(byId("events-rate"), rate(s.stats.events_per_second));
  put(byId("deliveries-rate"), rate(s.stats.deliveries_per_second));
  showLine("flow", `peak ${rate(Math.max(lines.flow[0].max(), lines.flow[1].max()))}`);
}

const nowAndPeak = (v, history) => `${milliseconds(v)}, peak ${milliseconds(history.max())}`;

function showLatencies(s) {
  const { database, redis } = s.readiness.components;
  const trips = change(s, (x) => x.redis_round_trips.count);
  const spent = change(s, (x) => x.redis_round_trips.seconds);
  const trip = redis.status !== "up" ? null : trips > 0 ? (spent / trips) * 1000 : redis.latency_ms;
  const beat = database.status === "up" ? database.latency_ms : null;
  lines.redis[0].add(trip === null ? NaN : trip);
  lines.database[0].add(beat === null ? NaN : beat);
  showLine("redis", nowAndPeak(trip, lines.redis[0]));
  showLine("database", nowAndPeak(beat, lines.database[0]));
}

function showBreaker(b) {
  byId("breaker").dataset.state = { closed: "ok", half_open: "warn" }[b.state] || "bad";
  const words = { closed: "Closed: everything is sent", open: "Open: nothing is sent", half_open: "Half-open: one batch is tried" };
  put(byId("breaker"), words[b.state] + (b.state !== "closed" && b.since ? `, since ${clock(b.since)}` : ""));
  put(byId("breaker-reason"), b.reason || "");
}

function showGroups(s) {
  put(byId("open"), number(s.stats.open));
  showRows(byId("next-due"), s.next_due, tableRow(["key", "route", "number messages", "number due"]), (row, g) =>
    fillCells(row, [g.key, g.route, number(g.messages), g.due_in_ms <= 0 ? "now" : duration(Math.ceil(g.due_in_ms / 1000))]));
  const shown = s.next_due.length;
  put(byId("groups-note"), shown === 0 ? "None is open." : shown < s.stats.open ? `The ${shown} that leave next.` : "");
}

function show(s) {
  const now = Date.parse(s.stats.timestamp);
  const { components: c, role } = s.readiness;
  showHeadline(verdict(s));
  // Who leads is decided in Postgres.
  put(byId("role"), c.database.status !== "up" ? "Role unknown" : role === "leader" ? "Leader" : "Standby");
  put(byId("version"), `version ${s.version}`);
  put(byId("uptime"), `up ${duration(s.stats.uptime_seconds)}`);
  showComponent("database", c.database, now, "Connected", "Away");
  showComponent("redis", c.redis, now, "Connected", "Away");
  const standsBy = role === "standby";
  showComponent("listener", c.listener, now, standsBy ? "Standing by" : "Taking events", "Not taking events", standsBy);
  showBreaker(s.breaker);
  showLatencies(s);
  showFlow(s);
  put(byId("waiting"), number(s.stats.waiting));
  put(byId("waiting-bytes"), bytes(s.stats.waiting_bytes));
  put(byId("parked"), number(s.stats.parked));
  put(byId("delivered"), number(sum(s.stats.routes, "pushed")));
  showSizes(s.group_sizes);
  showGroups(s);
  showRows(byId("route-rows"), s.stats.routes, tableRow(["", "number", "number", "number"]), (row, r) =>
    fillCells(row, [r.name, number(r.events), number(r.pushed), number(r.open)]));
  const error = s.stats.last_error;
  put(byId("last-error"), error ? `${error.at ? clock(error.at) + ": " : ""}${error.message}` : "None.");
  showLetterCounts(s.stats.dead_letters);
  last = s;
}

// The stream, and what is said while there is none.
const RETRY = 2000, SILENCE = 6000;  // milliseconds
let source = null, heard = 0, broken = null, lost = false, full = false, retry = 0;

function connect() {
  retry = 0;
  heard = Date.now();
  source = new EventSource("events");
  source.addEventListener("state", (event) => {
    heard = Date.now();
    if (broken !== null) mend();
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", lose);
}

function mend() {
  const missed = Math.min(POINTS, Math.round((Date.now() - broken) / 1000));
  for (const history of Object.values(lines).flat())
    for (let i = 0; i < missed; ++i) history.add(NaN);
  last = null;
  broken = null;
  lost = false;
  full = false;
  document.body.classList.remove("lost");
}

function lose() {
  if (source) source.close();
  source = null;
  if (broken === null) {
    // A proxy may have ended a stream that was long enough for it: no reason for alarm yet.
    broken = Date.now();
    connect();
    return;
  }
  lost = true;
  document.body.classList.add("lost");
  showLost();
  if (!retry) retry = setTimeout(connect, RETRY);
  askWhy();
}

// The error of a stream says nothing of its cause; the answer to a plain request does.
async function askWhy() {
  const question = new AbortController();
  const end = setTimeout(() => question.abort(), RETRY);
  const said = await fetch("events", { signal: question.signal })
    .then((answer) => (answer.status === 503 ? answer.json() : {}))
    .catch(() => ({}));
  clearTimeout(end);
  question.abort();
  if (!lost) return;
  full = String(said.error).startsWith("too many streams");
  showLost();
}

function showLost() {
  const since = duration((Date.now() - broken) / 1000);
  if (full) {
    showHeadline(["warn", "Too many dashboards are open",
      `Postrider answers, but has had no place for this one for ${since}; trying again. What stands below is from before. Close dashboards that nobody looks at.`]);
    return;
  }
  showHeadline(["bad", `Connection to Postrider lost since ${clock(broken)}`,
    `For ${since}; trying again. What stands below is from before. Postrider may be stopped, restarting or out of reach.`]);
}

setInterval(() => {
  if (lost) showLost();
  if (!source || Date.now() - heard <= SILENCE) return;
  if (broken === null) broken = heard;
  lose();
}, 1000);

startLetters();
connect();
