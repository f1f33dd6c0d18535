import { Changes } from "./changes.ts";

/** Values by key, which can be watched: a watcher first gets the present values, then every change in order. */
export class Feed<Value, Event> {
	readonly #values = new Map<string, Value>();
	/** The events that each watcher has not yet read. */
	readonly #watchers = new Set<Event[]>();
	readonly #changes = new Changes();
	readonly #toEvent: (value: Value) => Event;
	readonly #mostWaiting: number;

	/**
	 * @param toEvent makes the event of a value; called once per watcher, so that watchers share no objects
	 * @param mostWaiting events that wait for a slow watcher; it misses later ones. Default: no limit
	 */
	constructor(toEvent: (value: Value) => Event, mostWaiting = Number.POSITIVE_INFINITY) {
		this.#toEvent = toEvent;
		this.#mostWaiting = mostWaiting;
	}

	get(key: string): Value | undefined {
		return this.#values.get(key);
	}

	get values(): Iterable<Value> {
		return this.#values.values();
	}

	set(key: string, value: Value): void {
		this.#values.set(key, value);
		this.#send(() => this.#toEvent(value));
	}

	/** Sends an event without changing a value. @returns the number of watchers */
	emit(event: Event): number {
		this.#send(() => event);
		return this.#watchers.size;
	}

	/** Removes a value and sends `event` to the watchers. */
	delete(key: string, event: Event): void {
		this.#values.delete(key);
		this.#send(() => event);
	}

	end(): void {
		this.#changes.end();
	}

	async *watch(signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
		const events = [...this.#values.values()].map(this.#toEvent);
		this.#watchers.add(events);
		try {
			yield* this.#changes.follow(() => events.shift(), signal);
		} finally {
			this.#watchers.delete(events);
		}
	}

	#send(makeEvent: () => Event): void {
		for (const events of this.#watchers) if (events.length < this.#mostWaiting) events.push(makeEvent());
		this.#changes.notify();
	}
}
