// @ts-check
import { html, useEffect, useState } from "../../lib.js";
import { may, me, request, useQuery } from "../../api.js";
import { forget } from "../../contact_file.js";
import { forgetDraft, keepDraft, keptDraft } from "../../draft.js";
import { lazy } from "../../lazy.js";
import { CampaignSettings, Choices, CreateCampaign, RetryChoices, StartCampaign } from "../../ops.js";
import { go, query, setQuery } from "../../route.js";
import { Empty, Head, Skeleton, toast, Trouble } from "../../ui.js";
import { ArmsChoice } from "./arms_choice.js";
import { AssistantFit } from "./assistant_fit.js";
import { FileDrop } from "../contact_file/file_drop.js";
import { Again } from "./again.js";
import { copyOf, emptyForm, faultsOf, inputOf, missing } from "./form.js";
import { How } from "./how.js";
import { Review } from "./review.js";
import { Steps } from "./steps.js";
import { When } from "./when.js";
import { TestCall } from "../assistants/test_call.js";

// Loaded after the first view of the page.
const DraftForecastCard = lazy(() => import("../campaign/forecast.js"), "DraftForecastCard");
const OutputRules = lazy(() => import("./output_rules.js"), "OutputRules");
const RehearsalButton = lazy(() => import("../rehearsal.js"), "RehearsalButton");

/** @typedef {import("../../contact_file.js").Upload} Upload */
/** @typedef {import("./form.js").Form} Form */

/** Where the page keeps its file. */
const PLACE = "new-campaign";

/** @param {Upload} upload */
const nameOf = (upload) =>
  upload.filename
    .replace(/\.[a-z]+$/i, "")
    .replace(/[_-]+/g, " ")
    .slice(0, 100);

export default function NewCampaign() {
  if (may.operate()) return html`<${Page} />`;
  return html`<${Head} title="New campaign" /><${Empty} icon="warning" title="For operators and admins"
      ><p>Your role sees campaigns and cannot create them. An admin can change it.</p><//
    >`;
}

/** The form, which is kept at each change until the campaign is created. @returns {[Form, (form: Form) => Form]} */
function useDraft() {
  const member = me.value?.email ?? "";
  const [form, setForm] = useState(() => /** @type {Form} */ ({ ...emptyForm(), ...keptDraft(member) }));
  // Kept at once: an effect would run after the next frame, and the page may be reloaded before.
  const keep = (/** @type {Form | ((old: Form) => Form)} */ next) =>
    setForm((old) => {
      const form = typeof next === "function" ? next(old) : next;
      keepDraft(member, form);
      return form;
    });
  return /** @type {any} */ ([form, keep]);
}

/** Takes over the settings of the campaign that the address names. @param {(form: Form) => void} keep */
function useCopy(keep) {
  const from = query("from");
  const copied = useQuery(CampaignSettings, { id: from }, Boolean(from));
  useEffect(() => {
    if (!from || copied.loading || !copied.data) return;
    const { campaign } = copied.data;
    if (campaign) keep(copyOf(campaign));
    toast(campaign ? `The settings of ${campaign.name} are copied.` : "There is no such campaign.");
    setQuery({ from: null });
  }, [copied.data]);
}

function Page() {
  const choices = useQuery(Choices, {});
  const retries = useQuery(RetryChoices, {});
  const [uploaded, setUploaded] = useState(/** @type {Upload | null} */ (null));
  const [form, keep] = useDraft();
  const [wrong, setWrong] = useState(/** @type {Record<string, string>} */ ({}));
  useCopy(keep);
  const change = /** @type {(next: (old: Form) => Form) => void} */ (/** @type {any} */ (keep));
  /** @param {Partial<Form>} part */
  const set = (part) => change((old) => ({ ...old, ...part }));
  /** @param {Upload | null} upload */
  const took = (upload) => {
    setUploaded(upload);
    if (upload) change((old) => ({ ...old, name: old.name || nameOf(upload) }));
  };
  const discard = async () => {
    forgetDraft();
    await forget(PLACE);
    location.reload();
  };
  const create = async (/** @type {boolean} */ start) => {
    const gaps = missing(form, uploaded);
    setWrong(gaps);
    if (Object.keys(gaps).length) return showFirstGap();
    const input = inputOf(form, /** @type {Upload} */ (uploaded).id);
    const { createCampaign: said } = await request(CreateCampaign, { input });
    if (said.__typename === "UserError") {
      setWrong(faultsOf(said));
      return toast(said.message, "bad");
    }
    forgetDraft();
    await forget(PLACE);
    if (start) await begin(said.campaign.id);
    go(`/campaigns/${said.campaign.id}`);
  };
  const rehearsed = () => {
    const gaps = missing(form, uploaded);
    setWrong(gaps);
    if (!Object.keys(gaps).length) return inputOf(form, /** @type {Upload} */ (uploaded).id);
    showFirstGap();
    return null;
  };
  const part = { form, set, wrong };
  const callable = uploaded && uploaded.report.accepted > 0 ? uploaded : null;
  return html`<${Head}
      title="New campaign"
      lead="Nothing is called before you press Start. This browser keeps the draft when you leave the page."
    />
    ${choices.error && html`<${Trouble} error=${choices.error} again=${choices.reload} />`}
    <div class="columns">
      <div class="stack">
        <${Step} id="who" title="1 · Who is called">
          <${FileDrop} place=${PLACE} onUpload=${took} />
          ${wrong.uploadId && html`<p class="wrong" role="alert">${wrong.uploadId}</p>`}
        <//>
        <${Step} id="how" title="2 · How">
          ${choices.data ? html`<${How} ...${part} choices=${choices.data} />` : html`<${Skeleton} rows=${3} />`}
          ${
            choices.data &&
            html`<${ArmsChoice}
              ...${part}
              assistants=${choices.data.assistants}
              contacts=${callable?.report.accepted ?? null}
            />`
          }
          ${
            callable &&
            form.assistantId &&
            html`<${AssistantFit} key=${callable.id} uploadId=${callable.id} assistantId=${form.assistantId} />`
          }
        <//>
        <${Step} id="when" title="3 · When"><${When} ...${part} /><//>
        <${Step} id="again" title="4 · Again and results"
          ><${Again}
            ...${part}
            choices=${retries.data}
            country=${callable?.countries[0]?.country ?? "US"} /><${OutputRules} ...${part}
        /><//>
        <${Step} id="review" title="5 · Review">
          <${Review} form=${form} upload=${callable} choices=${choices.data}
            >${
              callable && html`<${DraftForecastCard} key=${callable.id} draft=${inputOf(form, callable.id)} />`
            }<${TestCall}
              assistantId=${form.assistantId}
              phoneNumberId=${form.phoneNumberId}
              first=${uploaded?.sample[0] ?? null} /><${RehearsalButton} inputOf=${rehearsed}
          /><//>
        <//>
      </div>
      <${Steps} form=${form} uploaded=${uploaded} create=${create} discard=${discard} />
    </div>`;
}

/** @param {{ id: string, title: string, children?: any }} props */
const Step = ({ id, title, children }) =>
  html`<section class="panel stack step" aria-labelledby=${id}>
    <header><h2 id=${id} tabindex="-1">${title}</h2></header>
    ${children}
  </section>`;

function showFirstGap() {
  const field = document.querySelector("[data-wrong] input, [data-wrong] select, #file");
  field?.scrollIntoView({ block: "center" });
  if (field instanceof HTMLElement) field.focus({ preventScroll: true });
}

/** @param {string} id */
async function begin(id) {
  try {
    const { startCampaign: said } = await request(StartCampaign, { id });
    if (said.__typename === "UserError") throw new Error(said.message);
  } catch (error) {
    toast(`Created, but not started: ${/** @type {Error} */ (error).message}`, "bad");
  }
}
