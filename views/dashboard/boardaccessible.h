// Lets assistive technology read the board as a list of its cards, each named by section, title and state, and open them.
#pragma once

namespace foundry::views {

// Once is enough; more does nothing.
void installBoardAccessibility();

} // namespace foundry::views
