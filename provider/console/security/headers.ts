/**
 * Of every answer, so that none can be forgotten. Scripts and styles are files of ours alone: whatever got into a page
 * unescaped could neither run nor load anything.
 *
 * The referrer is kept from others, not from ourselves: browsers would leave out the origin of a form with it, which is
 * what tells our own forms from those of other sites. The login, whose address holds a secret, leaves it out.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    ...["script-src", "style-src", "img-src", "connect-src", "form-action"].map((what) => `${what} 'self'`),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
  "Cache-Control": "no-store",
};
