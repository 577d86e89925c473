// Calls to the gateway. A failed one throws an Error whose message is the gateway's own sentence.

const KEY = "interview-key";

/** Headers of a call: the key where one was entered. */
export function headers() {
  const key = sessionStorage.getItem(KEY);
  return key ? { "X-API-Key": key } : {};
}

export async function call(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { ...options, headers: { Accept: "application/json", ...headers(), ...options.headers } });
  } catch {
    throw new Error("The server can't be reached. Check the connection and try again.");
  }
  const body = reply.status === 204 ? {} : await reply.json().catch(() => ({}));
  if (!reply.ok) {
    const error = new Error(body.message || `The server answered ${reply.status}.`);
    error.status = reply.status;
    error.code = body.code;
    throw error;
  }
  return body;
}

/** Keeps a key for this tab, and in a cookie that lets the player and the event stream read. */
export async function signIn(key) {
  await call("/login", { method: "POST", headers: { "X-API-Key": key } });
  sessionStorage.setItem(KEY, key);
}

/** Sends a form with XMLHttpRequest, which alone tells how much is sent. Returns [promise, stop]. */
export function sendForm(path, form, onProgress) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    request.open("POST", path);
    request.responseType = "json";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Error(request.response?.message || `The server answered ${request.status}.`));
    });
    request.addEventListener("error", () => reject(new Error("The upload broke off. Check the connection and try again.")));
    request.addEventListener("abort", () => reject(new Error("The upload was stopped. Nothing was kept.")));
    request.send(form);
  });
  return [promise, () => request.abort()];
}
