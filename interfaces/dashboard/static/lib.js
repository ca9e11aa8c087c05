// @ts-check
import { h, Fragment, render } from "preact";
import { useEffect, useMemo, useRef, useState, useCallback, useId } from "preact/hooks";
import { signal, computed, batch, useSignal, useComputed } from "@preact/signals";
import htm from "htm";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));
export { h, Fragment, render, useEffect, useMemo, useRef, useState, useCallback, useId };
export { signal, computed, batch, useSignal, useComputed };
