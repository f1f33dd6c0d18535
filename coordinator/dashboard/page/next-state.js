/** Returns the state after a message of the server: a whole state, or the changes to the one before. */
export function nextState(state, event, data) {
	const before = event === "state" ? { curves: {} } : state;
	const curves = { ...before.curves };
	for (const [name, { from, points }] of Object.entries(data.curves ?? {}))
		curves[name] = [...(curves[name] ?? []).slice(0, from), ...points];
	return { ...before, ...data, curves };
}
