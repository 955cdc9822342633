// Calls to the API from the app: what goes wrong comes back as a code, for whoever knows the words.
const PATIENCE_MS = 30_000;

// `status` 0: nobody can say whether the request arrived. `retryAfter` in seconds, null where nothing was said.
export class NetFault extends Error {
  constructor(status, code, { detail = null, retryAfter = null } = {}) {
    super(`${status} ${code}`);
    Object.assign(this, { status, code, detail, retryAfter });
  }
}

//   body      an object goes as JSON, bytes as they are
//   raw       the Response in place of its content, for whoever wants the headers
//   timeout   until all of the answer is there, in milliseconds
export async function call(path, { method = "GET", body, token, timeout = PATIENCE_MS, headers, raw = false } = {}) {
  const isBytes = body instanceof Uint8Array;
  const language = globalThis.document?.documentElement.lang || "vi";
  const sent = { Accept: "application/json", "Accept-Language": language, ...headers };
  if (body && !isBytes) sent["Content-Type"] = "application/json";
  if (token) sent.Authorization = `Bearer ${token}`;
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), timeout);
  try {
    const content = body && !isBytes ? JSON.stringify(body) : body;
    const how = { method, headers: sent, body: content, cache: "no-store", signal: stop.signal };
    const response = await fetch(`/api/v1${path}`, how);
    if (!response.ok) throw await refusal(response);
    if (raw) return response;
    return response.status === 204 ? null : await response.json();
  } catch (fault) {
    if (fault instanceof NetFault) throw fault;
    // Whoever answers with something else than JSON is the sign-in page of a café, not this site.
    const code = stop.signal.aborted ? "timeout" : fault instanceof SyntaxError ? "broken" : "offline";
    throw new NetFault(0, code);
  } finally {
    clearTimeout(late);
  }
}

async function refusal(response) {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  const problem = await response.json().catch(() => null);
  // Without our own form of an error it was somebody on the way who spoke.
  const code = typeof problem?.type === "string" ? problem.type.split(":").pop() : "broken";
  return new NetFault(response.status, code, { detail: problem?.detail ?? null, retryAfter });
}
