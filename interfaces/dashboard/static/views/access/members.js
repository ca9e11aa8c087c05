// @ts-check
import { html, useState } from "../../lib.js";
import { may, me, request, useQuery } from "../../api.js";
import { words } from "../../format.js";
import { AddMember, ChangeMemberRole, CreateSignInLink, Members, RemoveMember } from "../../ops.js";
import { Action, Dialog, Empty, Field, Head, Secret, Skeleton, Time, toast, Trouble } from "../../ui.js";

/** @typedef {import("../../ops.js").Role} Role */
/** @type {[Role, string][]} */
const ROLES = [
  ["OPERATOR", "uploads, creates, starts, pauses and cancels campaigns"],
  ["AUDITOR", "sees everything, with the event history, and changes nothing"],
  ["ADMIN", "does all of that, and keeps assistants, settings and members"],
];

/** @param {{ __typename: string, message?: string }} result @param {string} done */
function settle(result, done) {
  if (result.__typename === "UserError") throw new Error(result.message);
  toast(done);
}

export default function MembersView() {
  const read = useQuery(Members, {}, may.admin());
  const [asked, setAsked] = useState("");
  const [link, setLink] = useState(/** @type {{ email: string, url: string } | null} */ (null));
  if (!may.admin()) return html`<${Head} title="Members" /><${Empty} icon="members" title="For admins" />`;
  const members = read.data?.members;
  return html`<${Head} title="Members" lead="Only these addresses can sign in. A removed member loses access at once."
      ><button type="button" class="primary" onClick=${() => setAsked("add")}>Add a member</button><//
    >
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!members && !read.error && html`<${Skeleton} />`}
    ${
      members &&
      html`<section class="panel flush">
        <div class="scroll">
          <table class="table stacked">
            <thead>
              <tr>
                <th>E-mail</th>
                <th>Role</th>
                <th class="wide">Added</th>
                <th><span class="sr">Actions</span></th>
              </tr>
            </thead>
            <tbody>
              ${members.map(
                (one) =>
                  html`<tr key=${one.email}>
                    <td class="main"><b>${one.email}</b>${one.email === me.value?.email && html`<span>you</span>`}</td>
                    <td data-label="Role"><${RoleSelect} email=${one.email} role=${one.role} done=${read.reload} /></td>
                    <td class="wide"><${Time} at=${one.addedAt} /> <span class="quiet">by ${one.addedBy}</span></td>
                    <td>
                      <div class="actions">
                        <${SignInLink} email=${one.email} onLink=${setLink} />
                        <button
                          type="button"
                          class="small danger"
                          aria-label=${`Remove ${one.email}`}
                          onClick=${() => setAsked(one.email)}
                        >
                          Remove
                        </button>
                      </div>
                    </td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </section>`
    }
    <dl class="panel facts" style=${{ marginTop: "16px", justifyContent: "start" }}>
      ${ROLES.map(
        ([role, does]) =>
          html`<dt key=${role}>${words(role)}</dt>
            <dd style=${{ textAlign: "left" }}>${does}</dd>`,
      )}
    </dl>
    ${
      link &&
      html`<${Dialog} title=${`Sign-in link for ${link.email}`} onClose=${() => setLink(null)}>
        <${Secret} label="Sign-in link" text=${link.url}>
          Send it to ${link.email} in private. It works once, within 15 minutes, and is not shown again.<//
        ><//
      >`
    }
    ${asked === "add" && html`<${Add} onClose=${() => setAsked("")} done=${read.reload} />`}
    ${asked.includes("@") && html`<${Remove} email=${asked} onClose=${() => setAsked("")} done=${read.reload} />`}`;
}

/** @param {{ email: string, onLink: (link: { email: string, url: string }) => void }} props */
function SignInLink({ email, onLink }) {
  const create = async () => {
    const result = (await request(CreateSignInLink, { email })).createSignInLink;
    if (result.__typename === "UserError") throw new Error(result.message);
    onLink({ email, url: result.url });
  };
  return html`<${Action} kind="small" label=${`Create a sign-in link for ${email}`} onPress=${create}>Sign-in link<//>`;
}

/** @param {{ email: string, role: Role, done: () => void }} props */
function RoleSelect({ email, role, done }) {
  /** @param {{ currentTarget: HTMLSelectElement }} event */
  const change = async (event) => {
    try {
      settle(
        (await request(ChangeMemberRole, { email, role: /** @type {Role} */ (event.currentTarget.value) }))
          .changeMemberRole,
        `${email} has another role now.`,
      );
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
    done();
  };
  return html`<select aria-label=${`Role of ${email}`} style=${{ width: "auto" }} value=${role} onChange=${change}>
    ${ROLES.map(([one]) => html`<option key=${one} value=${one}>${words(one)}</option>`)}
  </select>`;
}

/** @param {{ onClose: () => void, done: () => void }} props */
function Add({ onClose, done }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState(/** @type {Role} */ ("OPERATOR"));
  const add = async () => {
    settle((await request(AddMember, { email: email.trim(), role })).addMember, `${email.trim()} may sign in now.`);
    onClose();
    done();
  };
  return html`<${Dialog} title="Add a member" onClose=${onClose}>
    <${Field} label="E-mail"
      >${(/** @type {any} */ a) =>
        html`<input
          ...${a}
          type="email"
          autocomplete="off"
          value=${email}
          onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ e) => setEmail(e.currentTarget.value)}
        />`}<//
    >
    <fieldset>
      <legend>Role</legend>
      ${ROLES.map(
        ([one, does]) =>
          html`<label key=${one} class="tick"
            ><input type="radio" name="role" checked=${role === one} onChange=${() => setRole(one)} /><span
              >${words(one)}<span>${does}</span></span
            ></label
          >`,
      )}
    </fieldset>
    <footer>
      <button type="button" onClick=${onClose}>Discard</button
      ><${Action} kind="primary" disabled=${!email.includes("@")} onPress=${add}>Add<//>
    </footer><//
  >`;
}

/** @param {{ email: string, onClose: () => void, done: () => void }} props */
function Remove({ email, onClose, done }) {
  const remove = async () => {
    settle((await request(RemoveMember, { email })).removeMember, `${email} was removed.`);
    onClose();
    done();
  };
  return html`<${Dialog} title=${`Remove ${email}?`} onClose=${onClose}
    ><p>Sessions, tokens and open pages of this member end at once. What they did stays in the history.</p>
    <footer>
      <button type="button" onClick=${onClose}>Keep</button
      ><${Action} kind="danger primary" onPress=${remove}>Remove<//>
    </footer><//
  >`;
}
