// @ts-check
import { html, useState } from "../lib.js";
import { request, useQuery } from "../api.js";
import {
  AddWebhookEndpoint,
  RemoveWebhookEndpoint,
  ResendWebhook,
  RotateWebhookSecret,
  UpdateWebhookEndpoint,
  WebhookDeliveries,
  WebhookEndpoints,
} from "../ops.js";
import { Action, Dialog, Empty, Field, Head, Secret, Skeleton, Time, toast, Trouble } from "../ui.js";

/** @typedef {import("../ops.js").WebhookEndpointsData["webhookEndpoints"][number]} Endpoint */
/** @typedef {import("../ops.js").WebhookDeliveriesData["webhookEndpoints"][number]["deliveries"][number]} Delivery */
/** @typedef {{ endpoint: Endpoint | null, what: "add" | "edit" | "remove" | "" }} Asked */

const TYPES = [
  "campaign.started",
  "campaign.paused",
  "campaign.completed",
  "campaign.canceled",
  "campaign.failed",
  "call.finished",
  "contact.finished",
  "contact.callback_planned",
  "contact.opted_out",
  "spend.alert",
];
const NOTHING = /** @type {Asked} */ ({ endpoint: null, what: "" });

export default function WebhooksView() {
  const read = useQuery(WebhookEndpoints, {});
  const [asked, setAsked] = useState(NOTHING);
  const [secret, setSecret] = useState("");
  const endpoints = read.data?.webhookEndpoints;
  const close = () => setAsked(NOTHING);
  return html`<${Head}
      title="Webhooks"
      lead="Results are sent to these addresses: signed, in order for each contact, retried for three days."
      ><button type="button" class="primary" onClick=${() => setAsked({ endpoint: null, what: "add" })}>
        Add an endpoint
      </button><//
    >
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!endpoints && !read.error && html`<${Skeleton} />`} ${endpoints?.length === 0 && html`<${None} />`}
    ${endpoints?.map(
      (one) =>
        html`<${Panel}
          key=${one.id}
          endpoint=${one}
          done=${read.reload}
          onAsk=${(/** @type {Asked["what"]} */ what) => setAsked({ endpoint: one, what })}
          onSecret=${setSecret}
        />`,
    )}
    ${asked.what === "add" && html`<${Edit} onClose=${close} done=${read.reload} onSecret=${setSecret} />`}
    ${
      asked.what === "edit" &&
      html`<${Edit} endpoint=${asked.endpoint} onClose=${close} done=${read.reload} onSecret=${setSecret} />`
    }
    ${asked.what === "remove" && html`<${Remove} endpoint=${asked.endpoint} onClose=${close} done=${read.reload} />`}
    ${
      secret &&
      html`<${Dialog} title="Signing secret" onClose=${() => setSecret("")}>
        <${Secret} label="Signing secret" text=${secret}>
          Copy it now: it is not shown again. The receiver needs it to verify what it gets.<//
        ><//
      >`
    }`;
}

const None = () =>
  html`<${Empty} icon="webhooks" title="No endpoints yet">Add one to get results in your CRM or automation tool.<//>`;

/**
 * @param {{
 *   endpoint: Endpoint,
 *   done: () => void,
 *   onAsk: (what: Asked["what"]) => void,
 *   onSecret: (text: string) => void,
 * }} props
 */
function Panel({ endpoint, done, onAsk, onSecret }) {
  const toggle = async () => {
    const wanted = { id: endpoint.id, enabled: !endpoint.enabled };
    const result = (await request(UpdateWebhookEndpoint, wanted)).updateWebhookEndpoint;
    if (result.__typename === "UserError") throw new Error(result.message);
    toast(endpoint.enabled ? "Nothing is sent to it now." : "Results are sent to it.");
    done();
  };
  const rotate = async () => {
    const result = (await request(RotateWebhookSecret, { id: endpoint.id })).rotateWebhookSecret;
    if (result.__typename === "UserError") throw new Error(result.message);
    onSecret(result.secret);
  };
  const types = endpoint.types.join(", ") || "all types of messages";
  const about = [endpoint.enabled ? "Enabled" : "Disabled", types, "added"];
  return html`<section class="panel stack" aria-label=${endpoint.url}>
    <h2 style=${{ overflowWrap: "anywhere" }}>${endpoint.url}</h2>
    ${endpoint.trouble && html`<p class="banner" data-kind="bad" role="alert">${endpoint.trouble}</p>`}
    <p class="quiet">${about.join(" · ")} <${Time} at=${endpoint.createdAt} /></p>
    <div class="actions" style=${{ justifyContent: "flex-start" }}>
      <${Action} kind="small" onPress=${toggle}>${endpoint.enabled ? "Disable" : "Enable"}<//>
      <button type="button" class="small" onClick=${() => onAsk("edit")}>Change</button>
      <${Action} kind="small" hint="The old secret stays valid for a day" onPress=${rotate}>New secret<//>
      <button type="button" class="small danger" onClick=${() => onAsk("remove")}>Remove</button>
    </div>
    <${Deliveries} endpointId=${endpoint.id} enabled=${endpoint.enabled} />
  </section>`;
}

/** @param {{ endpointId: string, enabled: boolean }} props */
function Deliveries({ endpointId, enabled }) {
  const [failedOnly, setFailedOnly] = useState(false);
  const [open, setOpen] = useState(false);
  const read = useQuery(WebhookDeliveries, { failedOnly }, open);
  const found = read.data?.webhookEndpoints.find((one) => one.id === endpointId)?.deliveries;
  return html`<details
    open=${open}
    onToggle=${(/** @type {{ currentTarget: HTMLDetailsElement }} */ e) => setOpen(e.currentTarget.open)}
  >
    <summary>Deliveries</summary>
    <div class="actions" style=${{ justifyContent: "flex-start" }}>
      <label class="tick"
        ><input type="checkbox" checked=${failedOnly} onChange=${() => setFailedOnly(!failedOnly)} /><span
          >Only failed ones</span
        ></label
      >
      <${Action} kind="small" onPress=${read.reload}>Refresh<//>
    </div>
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${open && !found && !read.error && html`<${Skeleton} />`}
    ${found?.length === 0 && html`<p class="quiet">None in the last 30 days.</p>`}
    ${found && found.length > 0 && html`<${Log} deliveries=${found} enabled=${enabled} done=${read.reload} />`}
  </details>`;
}

/** @param {{ deliveries: Delivery[], enabled: boolean, done: () => void }} props */
const Log = ({ deliveries, enabled, done }) =>
  html`<div class="scroll">
    <table class="table">
      <thead>
        <tr>
          <th>Message</th>
          <th>Created</th>
          <th>Attempts</th>
          <th>Result</th>
          <th><span class="sr">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        ${deliveries.map(
          (one) =>
            html`<tr key=${one.id}>
              <td class="main"><b>${one.type}</b></td>
              <td><${Time} at=${one.createdAt} /></td>
              <td>${one.attempts}</td>
              <td><${Result} delivery=${one} /></td>
              <td>${enabled && html`<${Resend} delivery=${one} done=${done} />`}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** @param {{ delivery: Delivery }} props */
function Result({ delivery }) {
  if (delivery.deliveredAt) return html`Delivered <${Time} at=${delivery.deliveredAt} />`;
  const answer = delivery.lastAnswer && html`<span>${delivery.lastAnswer}</span>${" "}`;
  if (!delivery.nextAttemptAt) return html`${answer}<span class="quiet">given up</span>`;
  return html`${answer}<span class="quiet">${delivery.attempts ? "next attempt" : "waiting since"}</span>${" "}
    <${Time} at=${delivery.nextAttemptAt} planned />`;
}

/** @param {{ delivery: Delivery, done: () => void }} props */
function Resend({ delivery, done }) {
  const send = async () => {
    const result = (await request(ResendWebhook, { deliveryId: delivery.id })).resendWebhook;
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("It is sent again.");
    done();
  };
  return html`<${Action} kind="small" label=${`Send ${delivery.type} again`} onPress=${send}>Send again<//>`;
}

/**
 * @param {{
 *   endpoint?: Endpoint | null,
 *   onClose: () => void,
 *   done: () => void,
 *   onSecret: (text: string) => void,
 * }} props
 */
function Edit({ endpoint, onClose, done, onSecret }) {
  const [url, setUrl] = useState(endpoint?.url ?? "");
  const [types, setTypes] = useState(/** @type {string[]} */ ([...(endpoint?.types ?? [])]));
  const add = async () => {
    const result = (await request(AddWebhookEndpoint, { url, types })).addWebhookEndpoint;
    if (result.__typename === "UserError") throw new Error(result.message);
    onSecret(result.secret);
  };
  const change = async () => {
    const wanted = { id: /** @type {Endpoint} */ (endpoint).id, url, types };
    const result = (await request(UpdateWebhookEndpoint, wanted)).updateWebhookEndpoint;
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("The endpoint is changed.");
  };
  const save = async () => {
    await (endpoint ? change() : add());
    onClose();
    done();
  };
  /** @param {string} type */
  const toggle = (type) => setTypes(types.includes(type) ? types.filter((one) => one !== type) : [...types, type]);
  return html`<${Dialog} title=${endpoint ? "Change the endpoint" : "Add an endpoint"} onClose=${onClose}>
    <${Field} label="URL"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="url"
          autocomplete="off"
          placeholder="https://"
          value=${url}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setUrl(e.currentTarget.value.trim())}
        />`}<//
    >
    <fieldset>
      <legend>Messages</legend>
      <p class="quiet">Choose none to get all, also those that later versions add.</p>
      ${TYPES.map(
        (type) =>
          html`<label key=${type} class="tick"
            ><input type="checkbox" checked=${types.includes(type)} onChange=${() => toggle(type)} /><span
              >${type}</span
            ></label
          >`,
      )}
    </fieldset>
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!/^https?:\/\/./.test(url)} onPress=${save}>${endpoint ? "Save" : "Add"}<//>
    </footer><//
  >`;
}

/** @param {{ endpoint: Endpoint, onClose: () => void, done: () => void }} props */
function Remove({ endpoint, onClose, done }) {
  const remove = async () => {
    const result = (await request(RemoveWebhookEndpoint, { id: endpoint.id })).removeWebhookEndpoint;
    if (result.__typename === "UserError") throw new Error(result.message);
    toast("The endpoint is removed.");
    onClose();
    done();
  };
  return html`<${Dialog} title="Remove the endpoint?" onClose=${onClose}
    ><p>Nothing is sent to ${endpoint.url} any more, not even messages that wait.</p>
    <footer>
      <button type="button" onClick=${onClose}>Keep</button
      ><${Action} kind="danger primary" onPress=${remove}>Remove<//>
    </footer><//
  >`;
}
