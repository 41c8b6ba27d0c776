import { createPrivateKey, X509Certificate } from "node:crypto";

/** Whether a text holds one certificate in PEM or several: OpenSSL reads the first, and what stands behind it when a connection is made. */
export function isCertificate(text: string): boolean {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return certificates.length > 0 && certificates.every((pem) => succeeds(() => new X509Certificate(pem)));
}

/** Whether it is a private key in PEM that asks for no passphrase. */
export function isPrivateKey(text: string): boolean {
  return succeeds(() => createPrivateKey(text));
}

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
