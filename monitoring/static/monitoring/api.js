// The API's documentation, by Swagger UI.
(() => {
  "use strict";

  const root = document.documentElement;
  const paint = () => root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
  paint();
  new MutationObserver(paint).observe(root, { attributeFilter: ["data-bs-theme"] });

  const place = document.getElementById("api");
  SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
  });
})();
