import { z } from "zod";
import { asFailure } from "../core/errors";
import type { ChangeCall, InputsOf, Made, ResourceDefinition } from "./definition";
import type { ProviderEnvironment } from "./environment";
import { readHidden, writeHidden, type Hidden } from "./hidden";
import { isHidden, plain, PLACEHOLDER, withSecrets, type Properties } from "./properties";
import { parseState } from "./recorded-state";
import { DEFAULT_DEADLINE_MS, runTask } from "./run-task";
import { PartialFailure, EngineError, secretsIn, tamed } from "./tame";
import { validate, type CheckFailure } from "./validate";

/** The protocol of Pulumi's dynamic providers, as its plugin process calls it. */
export interface Handler {
  check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: CheckFailure[] }>;
  diff(
    id: string,
    olds: Properties,
    news: Properties,
  ): Promise<{ changes: boolean; replaces: string[]; deleteBeforeReplace: boolean }>;
  create(inputs: Properties): Promise<{ id: string; outs: Properties }>;
  read(id: string, props: Properties): Promise<{ id: string; props: Properties; inputs?: Properties }>;
  update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }>;
  delete(id: string, props: Properties): Promise<void>;
}

type Operation = "create" | "update" | "delete";

/** Makes the handler that the engine drives of a plain definition. */
export function defineResource<Shape extends z.ZodRawShape, State extends Properties>(
  definition: ResourceDefinition<Shape, State>,
  environment: ProviderEnvironment,
): Handler {
  type Inputs = InputsOf<Shape>;
  const inputSchema = z.object(definition.shape);
  const subjectOf = (...candidates: Properties[]) => {
    for (const candidate of candidates) {
      const subject = definition.subject(candidate);
      if (subject !== undefined) return subject;
    }
    return `the ${definition.noun}`;
  };

  async function guarded<Result>(
    operation: string,
    properties: Properties[],
    run: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await environment.activity.during(run);
    } catch (error) {
      throw tamed(error, operation, subjectOf(...properties), properties);
    }
  }

  function change<Result>(
    operation: Operation,
    properties: Properties,
    hidden: Hidden,
    run: (call: ChangeCall) => Promise<Result>,
  ): Promise<Result> {
    const row = environment.row(hidden.urn);
    const seconds = hidden.timeouts[operation];
    const deadlineMs = seconds === undefined ? DEFAULT_DEADLINE_MS : seconds * 1000;
    return runTask(
      {
        clock: environment.clock,
        row,
        gone: environment.activity.gone,
        deadlineMs,
        operation,
        subject: subjectOf(properties),
      },
      (task) => run({ hidden, row, task, deadlineMs }),
    );
  }

  const toEngine = (properties: Properties) => withSecrets(plain(properties), definition.secrets);
  const outputs = (state: State, hidden: Hidden) => toEngine({ ...state, ...writeHidden(hidden) });

  /** Runs a create or an update; where it fails, tells the engine what is recorded all the same. */
  async function recorded(
    operation: "create" | "update",
    props: Properties,
    call: { inputs: Inputs; token: string; hidden: Hidden; state: State | undefined },
    run: () => Promise<Made<State>>,
  ): Promise<Made<State>> {
    try {
      return await environment.activity.during(run);
    } catch (error) {
      const failure = asFailure(error, operation, subjectOf(props));
      const secrets = secretsIn([props, call.state]);
      const left = await definition.leftBehind(call).catch(() => undefined);
      if (left === undefined) throw new EngineError(failure, secrets);
      const properties = { ...outputs(left.state, call.hidden), __provider: props["__provider"] };
      throw new PartialFailure(failure, [...secrets, ...secretsIn(left.state)], { id: left.id, properties });
    }
  }

  return {
    check: (olds, news) =>
      guarded("check", [news, olds], async () => {
        const hidden = readHidden(news);
        const row = environment.row(hidden.urn);
        const { values, unknown, failures } = validate(definition, news, hidden.given);
        const known = Object.fromEntries(Object.entries(values).filter(([key]) => !unknown.has(key)));
        const answer = await definition.check({
          inputs: known as Partial<Inputs>,
          unknown,
          olds,
          news,
          hidden,
          row,
        });
        return {
          inputs: toEngine({ ...values, ...answer.fill, ...hiddenInputs(news), ...writeHidden(hidden) }),
          failures: [...failures, ...answer.failures],
        };
      }),

    diff: (id, olds, news) =>
      guarded("compare", [olds, news], async () => {
        const hidden = readHidden(news);
        const row = environment.row(hidden.urn);
        const { values, unknown } = validate(definition, news, hidden.given);
        const inputs = Object.fromEntries(Object.entries(values).filter(([key]) => !unknown.has(key)));
        const state = parseState(definition, olds);
        const answer = await definition.diff({
          id,
          inputs: inputs as Partial<Inputs>,
          unknown,
          news,
          state,
          hidden,
          row,
        });
        return {
          changes: answer.changes,
          replaces: [...answer.replaces],
          deleteBeforeReplace: answer.deleteBeforeReplace ?? false,
        };
      }),

    async create(props) {
      const hidden = readHidden(props);
      const inputs = inputSchema.parse(props) as Inputs;
      const token = environment.newToken();
      const made = await recorded("create", props, { inputs, token, hidden, state: undefined }, () =>
        change("create", props, hidden, (call) => definition.create({ ...call, inputs, token })),
      );
      return { id: made.id, outs: outputs(made.state, hidden) };
    },

    async update(id, olds, news) {
      const hidden = readHidden(news);
      const inputs = inputSchema.parse(news) as Inputs;
      const token = environment.newToken();
      const state = parseState(definition, olds);
      const made = await recorded("update", news, { inputs, token, hidden, state }, async () => ({
        id,
        state: await change("update", news, hidden, (call) =>
          definition.update({ ...call, id, inputs, token, state }),
        ),
      }));
      return { outs: outputs(made.state, hidden) };
    },

    read: (id, props) =>
      guarded("read", [{ name: id, addon: id }, props], async () => {
        const hidden = readHidden(props);
        // What a program merely reads (`get`) is recorded without a token: it is nobody's to change.
        const isOwn = typeof props["__instance"] === "string" && props["__instance"] !== "";
        const state = isOwn ? parseState(definition, props) : undefined;
        const asked = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== PLACEHOLDER));
        const found = await definition.read({ id, state, props: asked, hidden });
        if (found === undefined) return { id: "", props: {} };
        return {
          id: found.id,
          props: outputs(found.state, hidden),
          inputs: toEngine({ ...found.inputs, ...writeHidden(hidden) }),
        };
      }),

    delete: (id, props) =>
      guarded("delete", [props], async () => {
        const hidden = readHidden(props);
        const state = parseState(definition, props);
        await change("delete", props, hidden, (call) => definition.delete({ ...call, id, state }));
      }),
  };
}

function hiddenInputs(news: Properties): Properties {
  return Object.fromEntries(Object.entries(news).filter(([key]) => isHidden(key)));
}
