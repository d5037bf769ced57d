// Keeps a TCP connection that is being closed open for a moment longer, on a descriptor of its own, and reads what still
// comes in without keeping it: so that the last bytes sent reach a peer that is still sending. Main thread.
#pragma once

#include <QtGlobal>

namespace foundry::backend {

// `descriptor` is duplicated, and stays its owner's. Ends when the peer closes, or after `milliseconds`.
void drainSocket(qintptr descriptor, int milliseconds);

} // namespace foundry::backend
