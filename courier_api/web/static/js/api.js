// Calls to this site's own API; what goes wrong comes back as a Problem with a sentence for the reader.
import { language, say } from "./told.js";

export class Problem extends Error {
  constructor(status, sentence, fields = [], code = null) {
    super(sentence);
    this.status = status;
    this.fields = fields;
    this.code = code; // stable, for programs; null where the server could not say
  }
}

export async function call(path, { method = "GET", body, token, accept = "application/json" } = {}) {
  const headers = { Accept: accept, "Accept-Language": language };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Problem(0, say("offline"));
  }
  if (response.status === 204) return null;
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Problem(response.status, say("broken"));
  }
  if (response.ok) return answer;
  throw new Problem(
    response.status,
    answer.detail ?? say("broken"),
    answer.errors ?? [],
    answer.type?.split(":").pop() ?? null,
  );
}
