/** Markup for the whole page: `html` makes nodes, never a string of HTML. */
import htm from "../vendor/htm.js";
import { Fragment, createElement, options, render } from "../vendor/preact.js";

export { Fragment, createElement, options, render };
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";

export const html = htm.bind(createElement);
