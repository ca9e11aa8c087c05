// @ts-check
import { html, useEffect, useRef, useState } from "../../lib.js";
import { me, post } from "../../api.js";
import { go, here, query } from "../../route.js";
import { recognise } from "../../session.js";
import { Icon } from "../../ui.js";

/** Only within this site. */
function nextPlace() {
  const next = query("next");
  return next.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

/** The link's secret follows #, so that no log contains it; it is removed from the address at once. */
function takeToken() {
  const token = tokenOf(here.value.hash);
  if (token) go(here.value.pathname + here.value.search, { replace: true });
  return token;
}

/** @param {string} hash */
const tokenOf = (hash) => new URLSearchParams(hash.slice(1)).get("token");

export default function SignIn() {
  const [state, setState] = useState({ busy: true, wrong: "" });
  const tried = useRef(false);
  const pasted = tokenOf(here.value.hash);
  // Runs again when a link is pasted into the address of this page.
  useEffect(() => {
    document.title = "Sign in · AutoLynx";
    if (tried.current && !pasted) return;
    tried.current = true;
    setState({ busy: true, wrong: "" });
    enter(takeToken()).then((wrong) => wrong != null && setState({ busy: false, wrong }));
  }, [pasted]);
  return html`<main class="door" id="main">
    <section class="panel">
      <div class="brand">
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M7 25 9 7l6 6h2l6-6 2 18" />
          <circle cx="12.5" cy="18" r="1.7" />
          <circle cx="19.5" cy="18" r="1.7" /></svg
        >AutoLynx
      </div>
      <h1 tabindex="-1">${state.busy ? "Signing you in…" : "Sign in"}</h1>
      ${
        state.wrong &&
        html`<div class="banner" data-kind="bad" role="alert" style=${{ margin: 0 }}>
          <${Icon} name="warning" />
          <p>${state.wrong}</p>
        </div>`
      }
      ${
        !state.busy &&
        html`${
            document.documentElement.dataset.oidc === "yes" &&
            html`<a
              class="button primary"
              data-server="1"
              href=${`/sign-in/oidc?next=${encodeURIComponent(nextPlace())}`}
              >Continue with your organisation</a
            >`
          }
          <p class="quiet">
            With a one-time link: an administrator of AutoLynx creates one on the page Members, or with${" "}
            <code>autolynx signin you@example.com</code>. It works once, within 15 minutes. You can also paste it into
            the address of this page.
          </p>`
      }
    </section>
  </main>`;
}

/** Returns the error message, or null after a successful sign-in. @param {string | null} token */
async function enter(token) {
  if (token) {
    const answer = await post("/sign-in", { token }).catch(() => null);
    if (!answer) return "AutoLynx cannot be reached. Check the connection and open the link again.";
    if (!answer.ok)
      return (
        (await answer.json().catch(() => null))?.error?.message ?? "This link is no longer valid. Ask for a new one."
      );
  }
  await recognise();
  if (!me.value) return query("error");
  go(nextPlace(), { replace: true });
  return null;
}
