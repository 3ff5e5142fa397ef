// A form with data-passkey is sent with the device's answer: a new passkey ("create"), or the use of one ("get").
(() => {
  "use strict";

  const optionsOf = async (form) => {
    if (form.dataset.passkeyOptions) return JSON.parse(form.dataset.passkeyOptions);
    const answer = await fetch(form.dataset.passkeyUrl, { headers: { Accept: "application/json" } });
    return answer.json();
  };
  const answerOf = async (form) => {
    const { publicKey } = await optionsOf(form);
    if (form.dataset.passkey === "create") {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  };
  const MESSAGES = {
    NotAllowedError: "The device did not confirm it. Try again.",
    InvalidStateError: "This device has a passkey for you already.",
  };
  const send = async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    const output = form.querySelector("[data-passkey-error]");
    output.textContent = "";
    try {
      const answer = await answerOf(form);
      form.elements.credential.value = JSON.stringify(answer.toJSON());
      form.submit();
    } catch (error) {
      output.textContent = MESSAGES[error.name] ?? "This browser can't use passkeys here. Try another, or a newer one.";
    }
  };
  document.addEventListener("submit", send);
})();
