// How the state of the link is said: a word, a glyph, a colour, and the sentence with its cause.
#pragma once

#include "views/common/statelook.h"

#include "models/types/linkstate.h"

namespace foundry::views {

// "Live", "Connecting", "Reconnecting in 3 s", "Offline, as of 09:41": with the time of what is shown, where there is any.
StateLook lookOf(const LinkState &state, Millis now);
// The cause and what is done about it, for the banner; empty when there is nothing to say.
QString linkSentence(const LinkState &state);
// Why what needs the host at once cannot be done now, for tool tips and notes; empty: it can, or will be in a moment.
QString whyNotNow(const LinkState &state);

} // namespace foundry::views
