import type { z } from "zod";
import type { Task } from "../core/task";
import type { Hidden } from "./hidden";
import type { Properties } from "./properties";
import type { Row } from "./row";
import type { CheckFailure, InputRules } from "./validate";

/** The inputs of a shape, all of them known. */
export type InputsOf<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;

export interface CheckCall<Inputs> {
  /** Valid and known; what is unknown or invalid is absent. */
  readonly inputs: Partial<Inputs>;
  readonly unknown: ReadonlySet<string>;
  /** The inputs of the last update; empty on a create, and on a replacement that was asked for (`--replace`). */
  readonly olds: Properties;
  /** As the engine hands them over, hidden ones included. */
  readonly news: Properties;
  readonly hidden: Hidden;
  readonly row: Row;
}

export interface CheckAnswer {
  readonly failures: readonly CheckFailure[];
  /** Inputs and outputs that are known beforehand. */
  readonly fill: Properties;
}

export interface DiffCall<Inputs, State> {
  readonly id: string;
  readonly inputs: Partial<Inputs>;
  readonly unknown: ReadonlySet<string>;
  /** As check has filled them in; in a refresh, those of the last update. */
  readonly news: Properties;
  readonly state: State;
  readonly hidden: Hidden;
  readonly row: Row;
}

export interface DiffAnswer {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace?: boolean;
}

/** A call that changes something. */
export interface ChangeCall {
  readonly hidden: Hidden;
  readonly row: Row;
  readonly task: Task;
  /** How long the whole call may take. */
  readonly deadlineMs: number;
}

interface CreateCall<Inputs> extends ChangeCall {
  readonly inputs: Inputs;
  /** Fresh for this create, and the same one when what it left behind is looked for. */
  readonly token: string;
}

interface UpdateCall<Inputs, State> extends CreateCall<Inputs> {
  readonly id: string;
  readonly state: State;
}

interface DeleteCall<State> extends ChangeCall {
  readonly id: string;
  readonly state: State;
}

interface ReadCall<State> {
  readonly id: string;
  /** Absent: the program asks for something that no state of its own holds (`RedisAddon.get`). */
  readonly state: State | undefined;
  readonly props: Properties;
  readonly hidden: Hidden;
}

export interface Made<State> {
  readonly id: string;
  readonly state: State;
}

/**
 * One resource, without the engine's protocol. Every method may throw a Failure; create, update and delete may run
 * again after a crash at any point.
 */
export interface ResourceDefinition<
  Shape extends z.ZodRawShape,
  State extends Properties,
> extends InputRules {
  /** What a message calls it when nothing better is known: `Redis add-on`. */
  readonly noun: string;
  readonly shape: Shape;
  /** Recorded outputs, the protocol's own left out; tolerant of what newer versions add. */
  readonly state: z.ZodType<State>;
  /** Dotted paths of what is a secret in inputs and outputs, whatever the program says. */
  readonly secrets: readonly string[];
  /** The add-on that a message speaks of. */
  subject(properties: Properties): string | undefined;

  check(call: CheckCall<InputsOf<Shape>>): Promise<CheckAnswer>;
  diff(call: DiffCall<InputsOf<Shape>, State>): Promise<DiffAnswer>;
  create(call: CreateCall<InputsOf<Shape>>): Promise<Made<State>>;
  update(call: UpdateCall<InputsOf<Shape>, State>): Promise<State>;
  /** What a failed create or update has left recorded; absent: nothing that is this resource's. */
  leftBehind(
    call: Omit<CreateCall<InputsOf<Shape>>, "task" | "row" | "deadlineMs"> & {
      readonly state: State | undefined;
    },
  ): Promise<Made<State> | undefined>;
  /** Absent: it is gone. */
  read(call: ReadCall<State>): Promise<(Made<State> & { readonly inputs: Properties }) | undefined>;
  delete(call: DeleteCall<State>): Promise<void>;
}
