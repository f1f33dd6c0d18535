import { debuglog } from "node:util";
import type { Authenticator, Msg } from "nats";
import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { NATS_FIRST_CONTACT_MS } from "../../deadlines.ts";
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
import { type NatsConnectionOptions, NatsLink } from "./connection.ts";
import { ProgressAndCancel } from "./progress-and-cancel.ts";
import { ACK, NAK, type Pulled, pullMessages, respond, TERM, WORKING } from "./pull.ts";
import { RunPublisher, type RunPublisherParts, retireRun } from "./run-publisher.ts";
import { type KnownRun, RunRegistry } from "./run-registry.ts";
import { NatsStreams } from "./streams.ts";
import { NatsNames, type NatsRole, shardConsumer } from "./subjects.ts";
import { isItemTaken } from "./taken.ts";
import { Updates } from "./updates.ts";
import { joinWorkerRegistry, WorkerRegistry, type WorkerRegistryParts } from "./worker-registry.ts";

export interface NatsBusOptions {
	/** One or more URLs with commas between, as in "nats://host:4222"; never with credentials. */
	readonly servers: string;
	/** Role whose permissions in deploy/nats/ the connection's user has. */
	readonly role: NatsRole;
	/** From `readNatsCredentials`; default: none. */
	readonly credentials?: Authenticator | undefined;
	readonly tls?: NatsConnectionOptions["tls"];
	/** Default: `NATS_TIMING`; coordinator and workers of a cluster must agree. */
	readonly timing?: Partial<BusTiming>;
	/** Prefix of all names of the cluster on the server; default "tailtune". */
	readonly prefix?: string;
	/**
	 * Called with one line for each lost or regained connection and each refused message; default: NODE_DEBUG=tailtune.
	 */
	readonly log?: (line: string) => void;
	/** Receives the reasons why operations wait for the server; default: not reported. */
	readonly notices?: Notices | undefined;
	/** Time in ms after which a waiting operation fails with "offline"; default: it waits without limit. */
	readonly patienceMs?: number | undefined;
	/** Cancels the attempt to connect; default: only the deadlines end it. */
	readonly signal?: AbortSignal | undefined;
	/** Coordinator only: number of copies of each stream; default: 3 in a cluster of at least 3 servers, otherwise 1. */
	readonly replicas?: number | undefined;
}

/** The bus over NATS, with its counters. */
export interface NatsBus extends Bus {
	/** Number of messages that were discarded because they can't be decoded or belong elsewhere. */
	readonly refusedMessages: number;
	/** Number of items that NATS had lost and that were published again. */
	readonly republishedItems: number;
	/** Bytes of messages to and from NATS so far. */
	readonly traffic: { readonly sent: number; readonly received: number };
}

/**
 * Connects a coordinator, a worker or a client to a cluster's NATS server, which must have JetStream. A coordinator
 * creates missing streams. A lost connection is restored automatically; operations wait for it. If the server lost its
 * data, the bus that announced a run restores the run and every item that has no answer yet, and a worker restores its
 * entry.
 * @throws TailtuneError "offline" if no server answers in time or it has no JetStream, "denied" if it rejects the
 * credentials, "protocol" if a stream has other settings than ours, "usage" for too many replicas, the reason of
 * `signal`
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
	readonly #parts: WorkerRegistryParts & RunPublisherParts;
	readonly #runRegistry: RunRegistry;
	readonly #workerRegistry: WorkerRegistry;
	readonly #progressAndCancel: ProgressAndCancel;
	readonly #updates: Updates;
	/** Publishers of the runs that this bus announced. */
	readonly #publishers = new Map<string, RunPublisher>();
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
		const refuse = (entry: string, error: unknown) => this.#refuse(entry, error);
		this.#runRegistry = new RunRegistry({
			link,
			names,
			streams,
			inboxPrefix: this.#inboxPrefix,
			graceMs: heartbeatLimitMs,
			refuse,
		});
		this.#parts = { link, names, streams, registry: this.#runRegistry, timing, heartbeatLimitMs, refuse };
		this.#workerRegistry = new WorkerRegistry(this.#parts);
		this.#progressAndCancel = new ProgressAndCancel(this.#parts);
		this.#updates = new Updates(this.#parts);
		link.closed.addEventListener("abort", () => this.#endAll());
	}

	get republishedItems(): number {
		return [...this.#publishers.values()].reduce(
			(sum, publisher) => sum + publisher.republishedItems,
			this.#republishedBefore,
		);
	}

	async start(): Promise<void> {
		await this.#contact();
		await this.#runRegistry.start();
	}

	/** Sends the first request, to find out whether JetStream answers. */
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
		return joinWorkerRegistry(worker, this.#parts);
	}

	watchWorkers(signal: AbortSignal): AsyncIterable<WorkerEvent> {
		return this.#orFailure(this.#workerRegistry.watch(signal));
	}

	async listWorkers(): Promise<WorkerInfo[]> {
		this.#assertOpen();
		return this.#workerRegistry.list();
	}

	async announce(spec: RunSpec): Promise<void> {
		this.#assertOpen();
		const kept = this.#publishers.get(spec.runId);
		if (kept?.isOf(spec) && !kept.ended.aborted) return;
		const publisher = new RunPublisher(runSpecCodec.decode(runSpecCodec.encode(spec)), this.#parts);
		await publisher.start();
		this.#publishers.set(spec.runId, publisher);
		const run = await this.#find(spec.runId);
		if (run) supersedeWithQueue(run, publisher);
		await this.#link.persist(() => this.#runRegistry.removeOldMarks());
	}

	async retire(runId: string): Promise<void> {
		this.#assertOpen();
		this.#endPublisher(runId);
		const run = await this.#find(runId);
		if (run) await retireRun(run.record, this.#parts);
	}

	watchRuns(signal: AbortSignal): AsyncIterable<RunChange> {
		return this.#orFailure(this.#runRegistry.runs.watch(signal));
	}

	async listRuns(): Promise<RunView[]> {
		this.#assertOpen();
		await this.#runRegistry.refreshAll();
		const runs = [...this.#runRegistry.runs.values].map(async ({ record, assignments }) => ({
			spec: runSpecCodec.decode(record.spec),
			assignments: [...assignments.values],
			progress: await this.#progressAndCancel.progress(record.runId),
		}));
		return Promise.all(runs);
	}

	async report(progress: RunProgress): Promise<void> {
		await this.#expectRun(progress.runId);
		await this.#progressAndCancel.report(progress);
	}

	async cancel(runId: string): Promise<void> {
		await this.#expectRun(runId);
		await this.#progressAndCancel.cancel(runId);
	}

	async *watchCancels(runId: string, signal: AbortSignal): AsyncGenerator<"cancel", void, undefined> {
		const run = await this.#find(runId);
		if (!run) return;
		const publisher = this.#publishers.get(runId);
		const end = AbortSignal.any([signal, run.ended, this.#link.closed, ...(publisher ? [publisher.ended] : [])]);
		yield* this.#progressAndCancel.watchCancels(runId, end);
		if (run.ended.aborted && !this.#link.closed.aborted) publisher?.superseded("retired by another process");
		const failure = this.#link.failure ?? publisher?.failure;
		if (failure && !signal.aborted) throw failure;
	}

	async assign(assignment: Assignment): Promise<void> {
		await (await this.#publisherOf(assignment)).assign(assignment);
	}

	async *watchAssignments(runId: string, signal: AbortSignal): AsyncGenerator<Assignment, void, undefined> {
		const run = await this.#find(runId);
		if (run) yield* this.#orFailure(run.assignments.watch(signal));
	}

	async publish(item: WorkItem, answered: AbortSignal): Promise<void> {
		await (await this.#publisherOf(item)).publish(item, answered);
	}

	async takeBack(runId: string, shard: number): Promise<void> {
		await (await this.#publisherOf({ runId, shard })).takeBack(shard);
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
		for await (const { message, requestNext } of this.#pullFrom(run, shard, signal)) {
			const item = this.#decode(message, () => {
				const decoded = workItemCodec.decode(message.data);
				expectPlace(decoded, runId, shard);
				return decoded;
			});
			if (item) yield { item, ...this.#repliesTo(message), requestNext };
		}
	}

	publishUpdate(runId: string, parts: readonly UpdatePart[]): void {
		this.#updates.publish(runId, parts);
	}

	async *watchUpdates(runId: string, signal: AbortSignal): AsyncGenerator<UpdatePart, void, undefined> {
		const run = await this.#find(runId);
		if (run) yield* this.#updates.watch(runId, AbortSignal.any([signal, run.ended, this.#link.closed]));
	}

	/** Follows a watch; throws the reason if it ended because the connection failed permanently. */
	async *#orFailure<T>(watch: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
		yield* watch;
		if (this.#link.failure) throw this.#link.failure;
	}

	async close(): Promise<void> {
		this.#endAll();
		await this.#link.close();
	}

	/** Yields the messages of a shard from the run's present queue, until the run ends or `signal` aborts. */
	async *#pullFrom(run: KnownRun, shard: number, signal: AbortSignal): AsyncGenerator<Pulled, void, undefined> {
		const end = AbortSignal.any([signal, run.ended, this.#link.closed]);
		while (!end.aborted) {
			const { name, replaced } = run.queue;
			const consumer = shardConsumer(run.record.runId, name, shard);
			const from = { stream: this.#names.workStream, consumer, inboxPrefix: this.#inboxPrefix };
			yield* pullMessages(this.#link, from, AbortSignal.any([end, replaced]));
		}
		if (this.#link.failure) throw this.#link.failure;
	}

	#repliesTo(message: Msg): Omit<Delivery, "item" | "requestNext"> {
		const reply = (payload: string) => respond(this.#link, message.reply, payload);
		return {
			ack: async () => reply(ACK),
			nak: async () => reply(NAK),
			working: async () => reply(WORKING),
		};
	}

	get traffic(): NatsBus["traffic"] {
		const { inBytes, outBytes } = this.#link.nc.stats();
		return { sent: outBytes, received: inBytes };
	}

	/** Decodes a message; one that can't be decoded is discarded, so that it is not delivered again. */
	#decode<T>(message: Msg, decode: () => T): T | undefined {
		try {
			return decode();
		} catch (error) {
			this.#refuse(message.subject, error);
			respond(this.#link, message.reply, TERM);
			return undefined;
		}
	}

	#refuse(entry: string, error: unknown): void {
		this.refusedMessages++;
		this.#link.log(`NATS: ${entry} refused: ${error instanceof Error ? error.message : error}`);
	}

	/** Returns a run from the registry, or reads it from the server if it is not known yet. */
	async #find(runId: string): Promise<KnownRun | undefined> {
		try {
			return this.#runRegistry.runs.get(runId) ?? (await this.#runRegistry.refresh(runId));
		} catch (error) {
			if (this.#link.closed.aborted) return undefined;
			throw error;
		}
	}

	async #expectRun(runId: string): Promise<void> {
		this.#assertOpen();
		if (!(await this.#find(runId))) throw new TailtuneError("protocol", `run ${runId} is not announced`);
	}

	async #publisherOf({ runId, shard }: { runId: string; shard: number }): Promise<RunPublisher> {
		this.#assertOpen();
		const publisher = this.#publishers.get(runId);
		const run = publisher && (await this.#find(runId));
		publisher?.ended.throwIfAborted();
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not announced by this bus`);
		const { shards } = run.record;
		if (shard >= shards) throw new TailtuneError("protocol", `run ${runId} has no shard ${shard}, only ${shards}`);
		return publisher;
	}

	#endPublisher(runId: string): void {
		const publisher = this.#publishers.get(runId);
		if (!publisher) return;
		this.#republishedBefore += publisher.republishedItems;
		publisher.end(this.#link.failure);
		this.#publishers.delete(runId);
	}

	#endAll(): void {
		for (const runId of [...this.#publishers.keys()]) this.#endPublisher(runId);
		this.#runRegistry.end();
		this.#workerRegistry.end();
	}

	#assertOpen(): void {
		this.#link.closed.throwIfAborted();
	}
}

/** Ends a publisher if another coordinator gives its run another queue. */
function supersedeWithQueue(run: KnownRun, publisher: RunPublisher): void {
	const { name, replaced } = run.queue;
	if (publisher.ended.aborted) return;
	if (!publisher.isQueue(name)) publisher.superseded("taken over by another coordinator");
	else replaced.addEventListener("abort", () => supersedeWithQueue(run, publisher), { once: true });
}

function expectPlace(found: { runId: string; shard: number }, runId: string, shard: number): void {
	if (found.runId === runId && found.shard === shard) return;
	const place = `run ${found.runId}, shard ${found.shard}`;
	throw new TailtuneError("protocol", `${place}, expected run ${runId}, shard ${shard}`);
}
