// Holds the current theme and icons, and tells when they change. One is made by the composition root and handed to
// every view by its constructor. GUI thread.
#pragma once

#include "views/common/icons.h"
#include "views/common/theme.h"

#include <QObject>

class QApplication;

namespace foundry::views {

enum class ThemeChoice { System, Light, Dark };

class ThemeProvider : public QObject {
    Q_OBJECT
public:
    explicit ThemeProvider(ThemeChoice choice = ThemeChoice::System, QObject *parent = nullptr);
    ~ThemeProvider() override;

    const Theme &theme() const { return m_theme; }
    const Colors &colors() const { return m_theme.colors(); }
    QFont font(TextStyle style) const { return m_theme.font(style); }
    Icons &icons() const { return m_icons; }

    ThemeChoice choice() const { return m_choice; }
    void setChoice(ThemeChoice choice);
    // What the desktop prefers, as last heard from DesktopAppearance; used while the choice is System.
    void setDesktopPrefersDark(bool dark);
    bool desktopPrefersDark() const { return m_desktopDark; }
    bool reducedMotion() const { return m_reducedMotion; }
    void setReducedMotion(bool reduced) { m_reducedMotion = reduced; }

    // Installs style, palette and base font, and keeps them in step with the theme.
    void applyTo(QApplication &application);

Q_SIGNALS:
    void changed();

private:
    void resolve();

    ThemeChoice m_choice;
    bool m_desktopDark = false;
    bool m_reducedMotion = false;
    Theme m_theme;
    mutable Icons m_icons;
    QApplication *m_application = nullptr;
};

} // namespace foundry::views
