import { debuglog } from "node:util";
import type { Authenticator, Msg } from "nats";
import { NATS_FIRST_CONTACT_MS, NATS_REQUEST_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";
import {
	type RunProgress,
	type RunSpec,
	runSpecCodec,
	type WorkerInfo,
	type WorkItem,
	workItemCodec,
} from "../../messages.ts";
import type { Notices } from "../../notices.ts";
import { raceAbort } from "../../race-abort.ts";
import type { Assignment, Bus, BusTiming, Delivery, Membership, RunChange, RunView, WorkerEvent } from "../bus.ts";
import { NATS_TIMING } from "./config.ts";
import { isNoResponders, isTimeout, type NatsConnectionOptions, NatsLink } from "./connection.ts";
import { RunDesk } from "./progress-and-cancel.ts";
import { ACK, NAK, pullMessages, respond, TERM, WORKING } from "./pull.ts";
import { type KeeperParts, RunKeeper, retireRun } from "./run-publisher.ts";
import { type KnownRun, RunMirror } from "./run-registry.ts";
import { NatsStreams } from "./streams.ts";
import { NatsNames, type NatsRole, shardConsumer } from "./subjects.ts";
import { isItemTaken } from "./taken.ts";
import { joinRegistry, type RegistryParts, WorkerRegistry } from "./worker-registry.ts";

export interface NatsBusOptions {
	/** One or more URLs with commas between, as in "nats://host:4222"; never with credentials. */
	readonly servers: string;
	/** What the connection's user is permitted to do, see deploy/nats/. */
	readonly role: NatsRole;
	/** From `readNatsCredentials`; default: none. */
	readonly credentials?: Authenticator | undefined;
	readonly tls?: NatsConnectionOptions["tls"];
	/** Default: `NATS_TIMING`; coordinator and workers of a cluster must agree. */
	readonly timing?: Partial<BusTiming>;
	/** What all names of the cluster begin with; default "tailtune". */
	readonly prefix?: string;
	/** Called with one line for each lost or regained connection and each refused message; default: NODE_DEBUG=tailtune. */
	readonly log?: (line: string) => void;
	/** Told what holds up those who wait for the server; default: nobody is told. */
	readonly notices?: Notices | undefined;
	/** What can't be done for so many ms fails with "offline"; default: it waits for ever. */
	readonly patienceMs?: number | undefined;
	/** Ends the attempt to connect; default: only its deadlines do. */
	readonly signal?: AbortSignal | undefined;
	/** Of a coordinator: servers that keep a copy of each stream; default: 3 in a cluster of so many, else 1. */
	readonly replicas?: number | undefined;
}

/** The bus over NATS, and what it counted. */
export interface NatsBus extends Bus {
	/** Messages that are none of ours: not decodable, or out of place. They were thrown away and the bus went on. */
	readonly refusedMessages: number;
	/** Items that NATS had lost and that were published again. */
	readonly republishedItems: number;
}

/**
 * Connects a coordinator, a worker or a client to a cluster's NATS server, which must have JetStream. A coordinator makes
 * the streams if they are missing. A lost connection comes back by itself; what is sent meanwhile waits for it. If the
 * server lost what it stored, the bus that announced a run brings it back with every item that still waits for its
 * answer, and a worker its own entry.
 * @throws TailtuneError "offline" if no server answers in time or it has no JetStream, "denied" if it rejects the
 * credentials, "protocol" for a stream with other settings than ours, "usage" for too many replicas, the reason of `signal`
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<NatsBus> {
	const timing = { ...NATS_TIMING, ...options.timing };
	const names = new NatsNames(options.prefix);
	const link = await NatsLink.open({
		servers: options.servers,
		credentials: options.credentials,
		tls: options.tls,
		name: `tailtune ${options.role}`,
		inboxPrefix: names.inboxPrefix(options.role),
		pingMs: timing.heartbeatLimitMs / 2,
		log: options.log ?? debuglog("tailtune"),
		notices: options.notices,
		patienceMs: options.patienceMs,
		signal: options.signal,
	});
	const bus = new Adapter(link, names, timing, options);
	try {
		await (options.signal ? raceAbort(bus.start(), options.signal) : bus.start());
	} catch (error) {
		await bus.close();
		throw error;
	}
	return bus;
}

class Adapter implements NatsBus {
	readonly timing: BusTiming;
	readonly isLocal = false;
	refusedMessages = 0;
	readonly #link: NatsLink;
	readonly #names: NatsNames;
	readonly #role: NatsRole;
	readonly #inboxPrefix: string;
	readonly #streams: NatsStreams;
	readonly #parts: RegistryParts & KeeperParts;
	readonly #mirror: RunMirror;
	readonly #registry: WorkerRegistry;
	readonly #desk: RunDesk;
	/** The runs that were announced here. */
	readonly #keepers = new Map<string, RunKeeper>();
	#republishedBefore = 0;

	constructor(link: NatsLink, names: NatsNames, timing: BusTiming, { role, replicas }: NatsBusOptions) {
		this.timing = timing;
		this.#link = link;
		this.#names = names;
		this.#role = role;
		this.#inboxPrefix = names.inboxPrefix(role);
		const { heartbeatLimitMs } = timing;
		const streams = new NatsStreams(link, names, { ttlMs: heartbeatLimitMs, replicas });
		this.#streams = streams;
		const refuse = (what: string, error: unknown) => this.#refuse(what, error);
		this.#mirror = new RunMirror({
			link,
			names,
			streams,
			inboxPrefix: this.#inboxPrefix,
			graceMs: heartbeatLimitMs,
			refuse,
		});
		this.#parts = { link, names, streams, mirror: this.#mirror, timing, heartbeatLimitMs, refuse };
		this.#registry = new WorkerRegistry(this.#parts);
		this.#desk = new RunDesk(this.#parts);
		link.closed.addEventListener("abort", () => this.#endAll());
	}

	get republishedItems(): number {
		return [...this.#keepers.values()].reduce((sum, keeper) => sum + keeper.republishedItems, this.#republishedBefore);
	}

	async start(): Promise<void> {
		await this.#contact();
		await this.#mirror.start();
	}

	/** The first thing asked of the server: it shows whether there is a JetStream that answers. */
	async #contact(): Promise<void> {
		const isCoordinator = this.#role === "coordinator";
		const ensure = () => this.#streams.ensureAll();
		const ask = () => this.#streams.last(this.#names.runsStream, this.#names.run("none"));
		await this.#link.persist<unknown>(isCoordinator ? ensure : ask, undefined, NATS_FIRST_CONTACT_MS);
		if (!isCoordinator) return;
		const ensureAgain = () =>
			void this.#link.persist(ensure).catch((error) => this.#link.log(`NATS: ${error.message}`));
		this.#link.on("connected", ensureAgain);
	}

	async join(worker: WorkerInfo): Promise<Membership> {
		this.#assertOpen();
		return joinRegistry(worker, this.#parts);
	}

	watchWorkers(signal: AbortSignal): AsyncIterable<WorkerEvent> {
		return this.#orFailure(this.#registry.watch(signal));
	}

	async listWorkers(): Promise<WorkerInfo[]> {
		this.#assertOpen();
		return this.#registry.list();
	}

	async announce(spec: RunSpec): Promise<void> {
		this.#assertOpen();
		const kept = this.#keepers.get(spec.runId);
		if (kept?.isOf(spec) && !kept.ended.aborted) return;
		const keeper = new RunKeeper(runSpecCodec.decode(runSpecCodec.encode(spec)), this.#parts);
		await keeper.start();
		this.#keepers.set(spec.runId, keeper);
		const run = await this.#find(spec.runId);
		if (run) loseWithQueue(run, keeper);
		await this.#link.persist(() => this.#mirror.removeOldMarks());
	}

	async retire(runId: string): Promise<void> {
		this.#assertOpen();
		this.#endKeeper(runId);
		const run = await this.#find(runId);
		if (run) await retireRun(run.record, this.#parts);
	}

	watchRuns(signal: AbortSignal): AsyncIterable<RunChange> {
		return this.#orFailure(this.#mirror.runs.watch(signal));
	}

	async listRuns(): Promise<RunView[]> {
		this.#assertOpen();
		await this.#mirror.refreshAll();
		const runs = [...this.#mirror.runs.facts].map(async ({ record, assignments }) => ({
			spec: runSpecCodec.decode(record.spec),
			assignments: [...assignments.facts],
			progress: await this.#desk.progress(record.runId),
		}));
		return Promise.all(runs);
	}

	async report(progress: RunProgress): Promise<void> {
		await this.#expectRun(progress.runId);
		await this.#desk.report(progress);
	}

	async cancel(runId: string): Promise<void> {
		await this.#expectRun(runId);
		await this.#desk.cancel(runId);
	}

	async *watchCancels(runId: string, signal: AbortSignal): AsyncGenerator<"cancel", void, undefined> {
		const run = await this.#find(runId);
		if (!run) return;
		const keeper = this.#keepers.get(runId);
		const end = AbortSignal.any([signal, run.ended, this.#link.closed, ...(keeper ? [keeper.ended] : [])]);
		yield* this.#desk.watchCancels(runId, end);
		if (run.ended.aborted && !this.#link.closed.aborted) keeper?.lose("retired by somebody else");
		const failure = this.#link.failure ?? keeper?.failure;
		if (failure && !signal.aborted) throw failure;
	}

	async assign(assignment: Assignment): Promise<void> {
		await (await this.#keeperOf(assignment)).assign(assignment);
	}

	async *watchAssignments(runId: string, signal: AbortSignal): AsyncGenerator<Assignment, void, undefined> {
		const run = await this.#find(runId);
		if (run) yield* this.#orFailure(run.assignments.watch(signal));
	}

	async publish(item: WorkItem, answered: AbortSignal): Promise<void> {
		await (await this.#keeperOf(item)).publish(item, answered);
	}

	async takeBack(runId: string, shard: number): Promise<void> {
		await (await this.#keeperOf({ runId, shard })).takeBack(shard);
	}

	async isTaken(runId: string, shard: number): Promise<boolean | undefined> {
		this.#assertOpen();
		const run = await this.#find(runId);
		if (!run) return undefined;
		const consumer = shardConsumer(runId, run.record.queue, shard);
		const { ackWaitMs } = this.timing;
		return isItemTaken(this.#link, { stream: this.#names.workStream, consumer, ackWaitMs });
	}

	async *pull(runId: string, shard: number, signal: AbortSignal): AsyncGenerator<Delivery, void, undefined> {
		const run = await this.#find(runId);
		if (!run || shard >= run.record.shards) return;
		for await (const message of this.#pullFrom(run, shard, signal)) {
			const item = this.#decode(message, () => {
				const decoded = workItemCodec.decode(message.data);
				expectPlace(decoded, runId, shard);
				return decoded;
			});
			if (item) yield this.#deliver(item, message);
		}
	}

	/** A watch that ends because the connection is lost for good throws the reason. */
	async *#orFailure<T>(watch: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
		yield* watch;
		if (this.#link.failure) throw this.#link.failure;
	}

	async close(): Promise<void> {
		this.#endAll();
		await this.#link.close();
	}

	/** Messages of a shard, from the run's present queue, whichever that is, until the run or `signal` ends. */
	async *#pullFrom(run: KnownRun, shard: number, signal: AbortSignal): AsyncGenerator<Msg, void, undefined> {
		const end = AbortSignal.any([signal, run.ended, this.#link.closed]);
		while (!end.aborted) {
			const { name, replaced } = run.queue;
			const consumer = shardConsumer(run.record.runId, name, shard);
			const from = { stream: this.#names.workStream, consumer, inboxPrefix: this.#inboxPrefix };
			yield* pullMessages(this.#link, from, AbortSignal.any([end, replaced]));
		}
		if (this.#link.failure) throw this.#link.failure;
	}

	#deliver(item: WorkItem, message: Msg): Delivery {
		const say = (payload: string) => {
			if (this.#link.isConnected) respond(message, payload);
		};
		return {
			item,
			ack: () => this.#ack(message),
			nak: async () => say(NAK),
			working: async () => say(WORKING),
		};
	}

	/** Waits until the server has taken note, else a pull right after it could still bring the item again. */
	async #ack({ reply }: Msg): Promise<void> {
		if (!reply) return;
		try {
			await this.#link.persist(async () => {
				await this.#link.nc.request(reply, Buffer.from(ACK), { timeout: NATS_REQUEST_MS }).catch((error) => {
					// The consumer is gone, or it knows the item as done already (there server 2.15 doesn't reply).
					if (!isNoResponders(error) && !isTimeout(error)) throw error;
				});
			});
		} catch (error) {
			if (!this.#link.closed.aborted) throw error;
		}
	}

	/** What a message says; one that is none of ours is thrown away for good. */
	#decode<T>(message: Msg, decode: () => T): T | undefined {
		try {
			return decode();
		} catch (error) {
			this.#refuse(message.subject, error);
			respond(message, TERM);
			return undefined;
		}
	}

	#refuse(what: string, error: unknown): void {
		this.refusedMessages++;
		this.#link.log(`NATS: ${what} refused: ${error instanceof Error ? error.message : error}`);
	}

	/** The run, as known or, where it isn't, as the server knows it. */
	async #find(runId: string): Promise<KnownRun | undefined> {
		try {
			return this.#mirror.runs.get(runId) ?? (await this.#mirror.refresh(runId));
		} catch (error) {
			if (this.#link.closed.aborted) return undefined;
			throw error;
		}
	}

	async #expectRun(runId: string): Promise<void> {
		this.#assertOpen();
		if (!(await this.#find(runId))) throw new TailtuneError("protocol", `run ${runId} is not announced`);
	}

	async #keeperOf({ runId, shard }: { runId: string; shard: number }): Promise<RunKeeper> {
		this.#assertOpen();
		const keeper = this.#keepers.get(runId);
		const run = keeper && (await this.#find(runId));
		keeper?.ended.throwIfAborted();
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not announced by this bus`);
		const { shards } = run.record;
		if (shard >= shards) throw new TailtuneError("protocol", `run ${runId} has no shard ${shard}, only ${shards}`);
		return keeper;
	}

	#endKeeper(runId: string): void {
		const keeper = this.#keepers.get(runId);
		if (!keeper) return;
		this.#republishedBefore += keeper.republishedItems;
		keeper.end(this.#link.failure);
		this.#keepers.delete(runId);
	}

	#endAll(): void {
		for (const runId of [...this.#keepers.keys()]) this.#endKeeper(runId);
		this.#mirror.end();
		this.#registry.end();
	}

	#assertOpen(): void {
		this.#link.closed.throwIfAborted();
	}
}

/** Ends a keeper if another coordinator gives its run another queue. */
function loseWithQueue(run: KnownRun, keeper: RunKeeper): void {
	const { name, replaced } = run.queue;
	if (keeper.ended.aborted) return;
	if (!keeper.isQueue(name)) keeper.lose("taken over by another coordinator");
	else replaced.addEventListener("abort", () => loseWithQueue(run, keeper), { once: true });
}

function expectPlace(found: { runId: string; shard: number }, runId: string, shard: number): void {
	if (found.runId === runId && found.shard === shard) return;
	const what = `run ${found.runId}, shard ${found.shard}`;
	throw new TailtuneError("protocol", `${what}, expected run ${runId}, shard ${shard}`);
}
