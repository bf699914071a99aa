/** What is gathered between two manifests: events numbered and sorted into objects, nothing written yet. */
import type { OperationTime } from "../ports.ts";
import { type EventKind, flagOf, signalOf } from "./classify.ts";
import { type ChangeEvent, EventReader, type RawValue } from "./event.ts";
import type { Manifest } from "./manifest.ts";
import { appendSequence } from "./sequence.ts";
import type { ResumePoint } from "./source.ts";
import { idText } from "./token.ts";

/** Where events stay between their reply and their upload. */
export interface EventMemory {
  /** Copies an event; gives where it begins in `block`. */
  keep(raw: Uint8Array): number;
  /** What the event kept last lies in. */
  readonly block: Uint8Array;
}

/** Bytes of one or more events that lie behind one another. */
export interface Part {
  readonly block: Uint8Array;
  readonly start: number;
  end: number;
}

export interface FlushObject {
  readonly database: string;
  readonly collection: string;
  readonly kind: EventKind;
  events: number;
  /** The events' bytes, in order. */
  readonly parts: Part[];
  readonly sequences: number[];
  bytes: number;
  /** Of the first event: what the object is named after. */
  readonly first: {
    readonly sequence: number;
    readonly time: OperationTime;
    readonly id: RawValue | undefined;
  };
}

export interface Flush {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  readonly objects: readonly FlushObject[];
  readonly firstToken: Uint8Array | undefined;
  readonly resume: ResumePoint;
  readonly flags: Manifest["flags"];
  readonly signals: Manifest["signals"];
}

export interface FlushOptions {
  /** The next event gets this number. */
  readonly nextSequence: number;
  readonly classify: (event: ChangeEvent) => EventKind;
  readonly maxEventsPerObject: number;
  readonly resume: ResumePoint;
  readonly memory: EventMemory;
}

/** Numbers events and gathers them until `take`. */
export class FlushBuilder {
  private readonly reader = new EventReader();
  private nextSequence: number;
  private firstSequence: number;
  private resume: ResumePoint;
  private time: OperationTime;
  private objects: FlushObject[] = [];
  /** The object that takes a namespace's next event, by database and collection. */
  private open = new Map<string, FlushObject>();
  private current: FlushObject | undefined;
  private flags: Manifest["flags"][number][] = [];
  private signals: Manifest["signals"][number][] = [];
  /** First and last event of the flush in hand that have a token. */
  private firstEvent: ChangeEvent | undefined;
  private lastEvent: ChangeEvent | undefined;
  bytes = 0;

  constructor(private readonly options: FlushOptions) {
    this.nextSequence = options.nextSequence;
    this.firstSequence = options.nextSequence;
    this.resume = options.resume;
    this.time = options.resume.operationTime;
  }

  /** Server time of the newest event, or of where reading began: milliseconds since 1970, whole seconds. */
  get timeMs(): number {
    return this.time.t * 1000;
  }

  get events(): number {
    return this.nextSequence - this.firstSequence;
  }

  /** Takes one event. True when the flush may end right after it, because it has a token to resume after. */
  add(raw: Uint8Array, oversize = false): boolean {
    const event = this.reader.read(raw);
    const sequence = this.nextSequence++;
    // Names of objects sort by time, so time never goes back, whatever an event says.
    const time = event.clusterTime;
    if (time && isLater(time, this.time)) this.time = time;
    const object = this.objectFor(event, sequence);
    this.keep(object, raw);
    appendSequence(object.sequences, sequence);
    this.bytes += raw.length;
    this.note(event, sequence, object.kind, oversize);
    if (!event.hasToken) return false;
    this.firstEvent ??= event;
    this.lastEvent = event;
    return true;
  }

  /** Reading goes on here, once everything added so far is durable. To be called at the end of a batch. */
  moveTo(resume: ResumePoint): void {
    this.resume = resume;
    this.lastEvent = undefined;
  }

  /** Everything since the last call, and where to resume after it. */
  take(): Flush {
    const last = this.lastEvent?.token;
    if (last) this.resume = { token: last.bytes, operationTime: this.time };
    const flush: Flush = {
      firstSequence: this.firstSequence,
      lastSequence: this.nextSequence - 1,
      bytes: this.bytes,
      objects: this.objects,
      firstToken: this.firstEvent?.token?.bytes.slice(),
      // A copy: the token must not keep the whole reply it came in.
      resume: "token" in this.resume ? { ...this.resume, token: this.resume.token.slice() } : this.resume,
      flags: this.flags,
      signals: this.signals,
    };
    this.firstSequence = this.nextSequence;
    this.resume = flush.resume;
    this.objects = [];
    this.open.clear();
    this.current = undefined;
    this.flags = [];
    this.signals = [];
    this.firstEvent = undefined;
    this.lastEvent = undefined;
    this.bytes = 0;
    return flush;
  }

  private keep(object: FlushObject, raw: Uint8Array): void {
    const { memory } = this.options;
    const start = memory.keep(raw);
    const { block } = memory;
    const last = object.parts[object.parts.length - 1];
    if (last?.block === block && last.end === start) last.end += raw.length;
    else object.parts.push({ block, start, end: start + raw.length });
    object.events++;
    object.bytes += raw.length;
  }

  private objectFor(event: ChangeEvent, sequence: number): FlushObject {
    const { database, collection } = event;
    let object = this.current;
    if (
      object?.database !== database ||
      object.collection !== collection ||
      event.operationType === "rename"
    ) {
      object = this.open.get(`${database}\0${collection}\0${this.options.classify(event)}`);
    }
    if (!object || object.events >= this.options.maxEventsPerObject) {
      object = {
        database,
        collection,
        kind: this.options.classify(event),
        events: 0,
        parts: [],
        sequences: [],
        bytes: 0,
        first: { sequence, time: this.time, id: copyOf(event.id) },
      };
      this.objects.push(object);
      this.open.set(`${database}\0${collection}\0${object.kind}`, object);
    }
    // Where a rename leads decides its kind, not that of its neighbours.
    this.current = event.operationType === "rename" ? undefined : object;
    return object;
  }

  private note(event: ChangeEvent, sequence: number, kind: EventKind, oversize: boolean): void {
    const reason = flagOf(event, oversize);
    if (reason) {
      const namespace = event.collection ? `${event.database}.${event.collection}` : event.database;
      const id = event.id && idText(event.id.type, event.id.bytes);
      this.flags.push({ sequence, reason, namespace, ...(id === undefined ? {} : { id }) });
    }
    if (kind !== "control") return;
    const signal = signalOf(event);
    if (signal) this.signals.push({ ...signal, sequence });
  }
}

/** What outlives the event must not keep its reply alive. */
function copyOf(value: RawValue | undefined): RawValue | undefined {
  return value && { type: value.type, bytes: value.bytes.slice() };
}

function isLater(left: OperationTime, right: OperationTime): boolean {
  return left.t > right.t || (left.t === right.t && left.i > right.i);
}
