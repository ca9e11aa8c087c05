// @ts-check
import { html, useState } from "../../lib.js";
import { may, me, request, useQuery } from "../../api.js";
import { CreateToken, RevokeToken, Tokens } from "../../ops.js";
import { Action, Dialog, Empty, Field, Head, Secret, Skeleton, Time, toast, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").TokensData["tokens"][number]} Token */

const MOST_DAYS = 3650;

export default function TokensView() {
  const read = useQuery(Tokens, {});
  const [asked, setAsked] = useState(false);
  const [revoked, setRevoked] = useState(/** @type {Token | null} */ (null));
  const tokens = read.data?.tokens;
  return html`<${Head}
      title="API tokens"
      lead="A program that sends a token has your role. Removing a member revokes the member's tokens."
      ><button type="button" class="primary" onClick=${() => setAsked(true)}>Create a token</button><//
    >
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!tokens && !read.error && html`<${Skeleton} />`}
    ${tokens && (tokens.length ? html`<${List} tokens=${tokens} onRevoke=${setRevoked} />` : html`<${None} />`)}
    ${asked && html`<${Create} onClose=${() => setAsked(false)} done=${read.reload} />`}
    ${revoked && html`<${Revoke} token=${revoked} onClose=${() => setRevoked(null)} done=${read.reload} />`}`;
}

const None = () =>
  html`<${Empty} icon="key" title="No tokens yet"
    >Create one to use the <a href="/graphql" data-server="1">GraphQL API</a> from a program.<//
  >`;

/** @param {{ tokens: Token[], onRevoke: (token: Token) => void }} props */
function List({ tokens, onRevoke }) {
  return html`<section class="panel flush">
    <div class="scroll">
      <table class="table stacked">
        <thead>
          <tr>
            <th>${may.admin() ? "Member" : "Token"}</th>
            <th>Created</th>
            <th>Last used</th>
            <th>Expires</th>
            <th><span class="sr">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          ${tokens.map(
            (one) =>
              html`<tr key=${one.id}>
                <td class="main"><b>${one.email}</b>${one.email === me.value?.email && html`<span>you</span>`}</td>
                <td data-label="Created"><${Time} at=${one.createdAt} /></td>
                <td data-label="Last used"><${Time} at=${one.lastUsedAt} empty="never" /></td>
                <td data-label="Expires"><${Time} at=${one.expiresAt} empty="never" planned /></td>
                <td>
                  <button
                    type="button"
                    class="small danger"
                    aria-label=${`Revoke the token of ${one.email}`}
                    onClick=${() => onRevoke(one)}
                  >
                    Revoke
                  </button>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** @param {{ onClose: () => void, done: () => void }} props */
function Create({ onClose, done }) {
  const [days, setDays] = useState("365");
  const [secret, setSecret] = useState("");
  const create = async () => {
    const result = (await request(CreateToken, { days: Number(days) })).createToken;
    if (result.__typename === "UserError") throw new Error(result.message);
    setSecret(result.secret);
    done();
  };
  const valid = /^\d+$/.test(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS;
  if (secret)
    return html`<${Dialog} title="Your new token" onClose=${onClose}>
      <${Secret} label="API token" text=${secret}>
        Copy it now: it is not shown again. Programs send it in the header <code>Authorization: Bearer …</code><//
      ><//
    >`;
  return html`<${Dialog} title="Create a token" onClose=${onClose}>
    <${Field} label="Days until it expires" error=${valid ? "" : `A number from 1 to ${MOST_DAYS}.`}
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          inputmode="numeric"
          value=${days}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setDays(e.currentTarget.value.trim())}
        />`}<//
    >
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!valid} onPress=${create}>Create<//>
    </footer><//
  >`;
}

/** @param {{ token: Token, onClose: () => void, done: () => void }} props */
function Revoke({ token, onClose, done }) {
  const revoke = async () => {
    const result = (await request(RevokeToken, { id: token.id })).revokeToken;
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("The token no longer works.");
    onClose();
    done();
  };
  return html`<${Dialog} title="Revoke the token?" onClose=${onClose}
    ><p>Programs that send this token of ${token.email} are refused from now on. Open connections are closed.</p>
    <footer>
      <button type="button" onClick=${onClose}>Keep</button
      ><${Action} kind="danger primary" onPress=${revoke}>Revoke<//>
    </footer><//
  >`;
}
