/** Reads a choice of the viewer from the address, such as the axis of the curves. */
export function readChoice(name) {
	return new URLSearchParams(location.search).get(name);
}

/** Keeps a choice in the address, so that the address shows the same view to others. */
export function keepChoice(name, value) {
	const parameters = new URLSearchParams(location.search);
	if (value === null) parameters.delete(name);
	else parameters.set(name, value);
	const query = parameters.toString();
	history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

/** Takes the token out of the address, so that it isn't copied with it, and keeps it in this tab. */
export function takeToken() {
	const given = new URLSearchParams(location.hash.slice(1)).get("token");
	if (given) {
		sessionStorage.setItem("token", given);
		history.replaceState(null, "", location.pathname + location.search);
	}
	return sessionStorage.getItem("token");
}
