// A page on the way back to the phone: tells the phone around it where to go, or opens the phone.
const url = new URLSearchParams(location.hash.slice(1)).get("url");

if (window.parent === window) location.replace(`/#${new URLSearchParams({ follow: url })}`);
else window.parent.postMessage({ type: "sandbox:return", url }, location.origin);
