// The few settings there are so far: appearance, what becomes of the host when the window closes, and what is kept on
// this computer. GUI thread.
#pragma once

#include "views/common/sheet.h"

namespace foundry::views {

struct Settings {
    bool stopHostWithWindow = false;
    int cacheLimitMiB = 0; // 0: the default, 2 GiB
};

class SettingsSheet : public Sheet {
    Q_OBJECT
public:
    SettingsSheet(ThemeProvider *theme, const Settings &settings, QWidget *parent);

    void setCacheBytes(qint64 bytes); // in use; until then it is not said

Q_SIGNALS:
    void themeChosen(foundry::views::ThemeChoice choice);
    void stopHostChosen(bool stop);
    void cacheLimitChosen(int mebibytes);
    void emptyCacheRequested();

private:
    Label *m_cacheUse;
    Button *m_emptyCache;
};

} // namespace foundry::views
