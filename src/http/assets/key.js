// The field for the API key above a page: keeps the key for as long as the browser's tab, and tells when it changes.

const ITEM = "lc-connections:api-key";
const PAUSE_AFTER_TYPING = 500;

const field = document.getElementById("api-key");
const notice = document.getElementById("notice");

let key = "";
let pause;

// Beside the field, for whoever looks or listens.
export function say(text, kind = "") {
  notice.textContent = text;
  notice.className = kind;
}

// What is wrong with a request that was answered with 401.
export function sayUnauthorized(withKey) {
  say(
    withKey
      ? "401: this API key is not accepted. Is it complete, and neither revoked nor expired?"
      : "401: an API key is needed. Paste one into this field.",
    "bad",
  );
}

// Private windows and strict settings may refuse storage; the key then lives as long as the page.
function remembered() {
  try {
    return sessionStorage.getItem(ITEM) ?? "";
  } catch {
    return "";
  }
}

function remember() {
  try {
    if (key) sessionStorage.setItem(ITEM, key);
    else sessionStorage.removeItem(ITEM);
  } catch {
    // As above.
  }
}

// Calls `use` with the key that is remembered, and with each new one. No key is the empty text.
export function withKey(use) {
  function take() {
    clearTimeout(pause);
    const typed = field.value.trim();
    if (typed === key) return;
    if (!/^[\x21-\x7e]*$/.test(typed)) {
      say("That is no API key: a key has neither spaces nor letters beyond ASCII.", "bad");
      return;
    }
    key = typed;
    remember();
    say(key ? "" : "A key is needed.");
    use(key);
  }

  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(take, PAUSE_AFTER_TYPING);
  });
  field.addEventListener("change", take);
  document.getElementById("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    take();
  });

  key = remembered();
  field.value = key;
  if (!key) say("A key is needed. The demo prints some when it starts; lc-connections keys create makes one.");
  use(key);
}
