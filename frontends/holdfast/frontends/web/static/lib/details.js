/** What the composer has to know of a session beside its row, folded from the few events that tell it. */

export const DETAIL_TYPES = [
  "session-configured",
  "attached",
  "usage-reported",
  "info-changed",
  "prompt-queued",
  "prompt-edited",
  "prompt-withdrawn",
  "prompt-sent",
  "prompt-failed",
  "queue-resumed",
  "turn-interrupted",
  "turn-unknown",
  "turn-started",
  "turn-ended",
  "read-up-to",
];

/**
 * @typedef {{id: string, name: string, description: string, group: string}} Choice
 * @typedef {{id: string, name: string, kind: "select" | "boolean" | "other", description: string, category: string | null, value: string | null, choices: Choice[]}} Option
 * @typedef {{mode: string | null, modes: Choice[], options: Option[], commands: {name: string, description: string, hint: string}[]}} Offers
 * @typedef {object} Details
 * @property {Offers} offers  what the agent has to choose from
 * @property {boolean} images  whether the agent takes pictures
 * @property {{used: number, size: number} | null} context
 * @property {string | null} cost
 * @property {string | null} model
 * @property {string | null} remoteId
 * @property {string | null} turnStartedAt
 * @property {boolean} held  whether the queue waits for a word after an interruption
 * @property {number} queueVersion  grows when the queue changes
 * @property {number} readPosition  where the log says that the owner had seen everything
 * @property {boolean} caughtUp  whether all of that has been told
 */

/** @type {Details} */
export const NOTHING = {
  offers: { mode: null, modes: [], options: [], commands: [] },
  images: false,
  context: null,
  cost: null,
  model: null,
  remoteId: null,
  turnStartedAt: null,
  held: false,
  queueVersion: 0,
  readPosition: 0,
  caughtUp: false,
};

/** @param {Details} before @param {{type: string, data: any, recorded_at: string, position: number}} event @returns {Details} */
export function fold(before, { type, data, recorded_at, position }) {
  switch (type) {
    case "read-up-to":
      return { ...before, readPosition: position };
    case "attached":
      return {
        ...before,
        remoteId: data?.remote_id ?? before.remoteId,
        images: data?.capabilities?.promptCapabilities?.image === true || before.images,
      };
    case "usage-reported": {
      const context = data?.context_used != null && data?.context_size ? { used: data.context_used, size: data.context_size } : before.context;
      return { ...before, context, cost: data?.cost ?? before.cost };
    }
    case "info-changed":
      return { ...before, model: data?.model ?? before.model };
    case "turn-started":
      return { ...before, turnStartedAt: recorded_at, held: false };
    case "turn-ended":
      return { ...before, turnStartedAt: null };
    case "turn-interrupted":
    case "turn-unknown":
      return { ...before, turnStartedAt: null, held: true };
    case "queue-resumed":
      return { ...before, held: false, queueVersion: before.queueVersion + 1 };
    default:
      return type.startsWith("prompt-") ? { ...before, queueVersion: before.queueVersion + 1 } : before;
  }
}
