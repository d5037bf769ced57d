#include "views/common/themeprovider.h"

#include "views/common/foundrystyle.h"

#include <QApplication>

namespace foundry::views {

ThemeProvider::ThemeProvider(ThemeChoice choice, QObject *parent)
    : QObject(parent)
    , m_choice(choice)
    , m_theme(choice == ThemeChoice::Dark ? Theme::dark() : Theme::light())
{
}

ThemeProvider::~ThemeProvider() = default;

void ThemeProvider::setChoice(ThemeChoice choice)
{
    m_choice = choice;
    resolve();
}

void ThemeProvider::setDesktopPrefersDark(bool dark)
{
    m_desktopDark = dark;
    resolve();
}

void ThemeProvider::applyTo(QApplication &application)
{
    m_application = &application;
    application.setStyle(new FoundryStyle(this)); // QApplication owns it
    application.setPalette(m_theme.palette());
    application.setFont(m_theme.font(TextStyle::List));
}

void ThemeProvider::resolve()
{
    const bool dark = m_choice == ThemeChoice::Dark || (m_choice == ThemeChoice::System && m_desktopDark);
    if (dark == m_theme.isDark())
        return;
    m_theme = dark ? Theme::dark() : Theme::light();
    if (m_application)
        m_application->setPalette(m_theme.palette());
    Q_EMIT changed();
}

} // namespace foundry::views
