// Lets assistive technology read a TranscriptView as a list: each entry is an item named by speaker, state and text.
#pragma once

namespace foundry::views {

// Once is enough; more does nothing.
void installTranscriptAccessibility();

} // namespace foundry::views
