
// The dead letters, for who knows the admin token. It stays in this variable and nowhere else.
const letters = { token: "", after: null, taken: 0, seen: 0 };

function askLetters(method, path) {
  return fetch("dead-letters" + path, { method, headers: { Authorization: "Bearer " + letters.token } });
}

// What went wrong, in words.
async function refusal(answer) {
  if (answer.status === 401) return "This is not the admin token.";
  if (answer.status === 404 && !letters.after && !letters.seen)
    return "This service has no admin token (ADMIN_TOKEN), so its letters are not shown here.";
  try {
    return (await answer.json()).error;
  } catch {
    return `The service answered ${answer.status}.`;
  }
}

function say(words) { put(byId("letters-said"), words); }

async function attempt(action) {
  try {
    await action();
  } catch {
    say("Postrider does not answer. Try again when the connection is back.");
  }
}

async function showLetters(more) {
  const answer = await askLetters("GET", "?limit=50" + (more && letters.after ? "&after=" + letters.after : ""));
  if (!answer.ok) {
    say(await refusal(answer));
    if (answer.status === 401 || answer.status === 404) forgetToken();
    return;
  }
  const page = await answer.json();
  const list = byId("letter-list");
  if (!more) list.replaceChildren();
  for (const letter of page.letters) list.append(letterItem(letter));
  letters.after = page.next;
  letters.seen = letters.taken;
  byId("token-form").hidden = true;
  byId("letters-tools").hidden = false;
  byId("more").hidden = page.next === null;
  if (!more) say(list.childElementCount === 0 ? "There are none." : "");
}

function element(name, words, className) {
  const made = document.createElement(name);
  if (words !== undefined) made.textContent = words;
  if (className) made.className = className;
  return made;
}

function letterItem(letter) {
  const item = element("li");
  item.append(element("p", `${letter.reason} · ${letter.route}${letter.key ? " · " + letter.key : ""}`, "reason"));
  item.append(element("p", letter.error));
  const times = letter.attempts === 1 ? "once" : `${letter.attempts} times`;
  item.append(element("p", `#${letter.id}, tried ${times}, last ${clock(letter.last)}`, "note"));
  const details = element("details");
  details.append(element("summary", letter.kind === "push" ? `Payload for ${letter.target.name}` : "Payload"));
  details.append(element("pre", letter.payload));
  const tools = element("div", undefined, "row");
  const replay = element("button", "Replay");
  const drop = element("button", "Drop");
  replay.type = drop.type = "button";
  const act = (method, path, done) => attempt(async () => {
    replay.disabled = drop.disabled = true;
    try {
      const answer = await askLetters(method, "/" + letter.id + path);
      say(answer.ok ? `Letter ${letter.id} was ${done}.` : `Letter ${letter.id}: ${await refusal(answer)}`);
      if (answer.ok) item.remove();
    } finally {
      replay.disabled = drop.disabled = false;
    }
  });
  replay.addEventListener("click", () => act("POST", "/replay", "replayed"));
  drop.addEventListener("click", () => {
    // What is dropped is gone, so it takes a second click.
    if (drop.className === "danger") return act("DELETE", "", "dropped");
    drop.className = "danger";
    drop.textContent = "Drop for good?";
  });
  drop.addEventListener("blur", () => { drop.className = ""; drop.textContent = "Drop"; });
  tools.append(replay, drop);
  item.append(details, tools);
  return item;
}

function forgetToken() {
  letters.token = "";
  letters.after = null;
  byId("letter-list").replaceChildren();
  byId("token-form").hidden = false;
  byId("letters-tools").hidden = true;
  byId("more").hidden = true;
}

function startLetters() {
  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    letters.token = byId("token").value;
    byId("token").value = "";
    attempt(() => showLetters(false));
  });
  byId("reload").addEventListener("click", () => attempt(() => showLetters(false)));
  byId("more").addEventListener("click", () => attempt(() => showLetters(true)));
  byId("forget").addEventListener("click", () => { forgetToken(); say(""); });
}

function showLetterCounts(counts) {
  letters.taken = counts.taken;
  put(byId("letters-taken"), `${number(counts.taken)} since start`);
  const where = counts.store === "postgres" ? "Kept in Postgres." : "Kept in memory only, gone with the process.";
  const dropped = counts.dropped > 0 ? ` ${number(counts.dropped)} had no room and are gone.` : "";
  put(byId("letters-note"), counts.taken === 0 && dropped === "" ? "None since the start." : where + dropped);
  const chips = Object.entries(counts.by_reason).map(([reason, n]) => `${reason}: ${number(n)}`);
  showRows(byId("reasons"), chips, () => element("li"), (item, words) => put(item, words));
  if (letters.token && letters.taken > letters.seen)
    say(`${number(letters.taken - letters.seen)} more since this list was read.`);
}
