#include "views/sidebar/rail.h"

#include <QBoxLayout>
#include <QPainter>

namespace foundry::views {

Rail::Rail(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setAccessibleName(tr("Sidebar, hidden"));
    setFixedWidth(41);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(6, 10, 7, Space::s);
    column->setSpacing(Space::s);
    const auto add = [&](Icon icon, const QString &name, const QString &keys, auto signal) {
        auto *button = new IconButton(theme, icon, name);
        button->setName(name, keys);
        column->addWidget(button);
        connect(button, &QToolButton::clicked, this, signal);
    };
    add(Icon::PanelLeft, tr("Show sidebar"), QStringLiteral("Ctrl+B"), &Rail::sidebarRequested);
    add(Icon::Plus, tr("New task"), QStringLiteral("Ctrl+N"), &Rail::newTaskRequested);
    add(Icon::Board, tr("Board"), QStringLiteral("Ctrl+0"), &Rail::dashboardRequested);
    column->addStretch(1);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void Rail::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme->colors().surface);
    painter.fillRect(QRect(width() - 1, 0, 1, height()), m_theme->colors().hairline);
}

} // namespace foundry::views
