// Makes the compiled-in icons and fonts known to Qt. Call once, after the application object is there and before the
// first widget. GUI thread.
#pragma once

namespace foundry {

// Icons and the faces that the first paint needs.
void initResources();
// The faces that can wait until after the first paint (bold, and bold mono).
void initLateFonts();

} // namespace foundry
