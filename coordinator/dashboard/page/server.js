import { takeToken } from "./page-state.js";

let token = takeToken();

/** Whether the page has a token. */
export function hasToken() {
	return token !== null;
}

/** Keeps a token in this tab; null: forgets it. */
export function keepToken(value) {
	token = value;
	if (value === null) sessionStorage.removeItem("token");
	else sessionStorage.setItem("token", value);
}

/** The header that permits a request. */
export function authorization() {
	return { authorization: `Bearer ${token}` };
}

/**
 * Asks the server for JSON.
 * @param parameters of the address, by name; a list becomes several ones
 * @param body is posted as JSON; default: nothing is posted
 * @returns the answer; without one, an error with the status (0 if the server can't be reached) and a message
 */
export async function askServer(path, parameters = {}, body = undefined) {
	const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
	const posted = body && { method: "POST", body: JSON.stringify(body) };
	const headers = { ...authorization(), ...(body && { "content-type": "application/json" }) };
	try {
		const response = await fetch(`${path}?${new URLSearchParams(pairs)}`, { ...posted, headers });
		const answer = await response.json();
		return response.ok ? { answer } : { error: { status: response.status, message: answer.message } };
	} catch {
		return { error: { status: 0, message: "The server doesn't answer." } };
	}
}
