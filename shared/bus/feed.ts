import { Changes } from "./changes.ts";

/** Facts by key: a watcher first gets those that hold, then every change in order. */
export class Feed<Fact, Event> {
	readonly #facts = new Map<string, Fact>();
	readonly #watchers = new Set<Event[]>();
	readonly #changes = new Changes();
	readonly #toEvent: (fact: Fact) => Event;

	/** @param toEvent how a fact is told; called for each watcher anew, so that they share nothing */
	constructor(toEvent: (fact: Fact) => Event) {
		this.#toEvent = toEvent;
	}

	get(key: string): Fact | undefined {
		return this.#facts.get(key);
	}

	get facts(): Iterable<Fact> {
		return this.#facts.values();
	}

	set(key: string, fact: Fact): void {
		this.#facts.set(key, fact);
		this.#tell(() => this.#toEvent(fact));
	}

	/** Tells what is no lasting fact; to how many watchers. */
	tell(event: Event): number {
		this.#tell(() => event);
		return this.#watchers.size;
	}

	/** Drops a fact and tells watchers so. */
	delete(key: string, event: Event): void {
		this.#facts.delete(key);
		this.#tell(() => event);
	}

	end(): void {
		this.#changes.end();
	}

	async *watch(signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
		const events = [...this.#facts.values()].map(this.#toEvent);
		this.#watchers.add(events);
		try {
			yield* this.#changes.follow(() => events.shift(), signal);
		} finally {
			this.#watchers.delete(events);
		}
	}

	#tell(makeEvent: () => Event): void {
		for (const events of this.#watchers) events.push(makeEvent());
		this.#changes.notify();
	}
}
