// The few settings there are so far: appearance, and what becomes of the host when the window closes. GUI thread.
#pragma once

#include "views/common/sheet.h"

namespace foundry::views {

class SettingsSheet : public Sheet {
    Q_OBJECT
public:
    SettingsSheet(ThemeProvider *theme, bool stopHostWithWindow, QWidget *parent);

Q_SIGNALS:
    void themeChosen(foundry::views::ThemeChoice choice);
    void stopHostChosen(bool stop);
};

} // namespace foundry::views
