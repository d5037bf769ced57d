// The keys of the shell, apart from its parts; keys of a page belong to the page.
#include "views/mainwindow.h"

#include "views/sidebar/sidebar.h"

#include <QShortcut>

namespace foundry::views {

void MainWindow::addShortcuts()
{
    const auto bind = [this](const QKeySequence &keys, auto action) {
        connect(new QShortcut(keys, this), &QShortcut::activated, this, action);
    };
    bind(QKeySequence(Qt::CTRL | Qt::Key_N), [this] { openNewTask(); });
    bind(QKeySequence(Qt::CTRL | Qt::Key_B), [this] { setSidebarShown(m_sidebar->isHidden()); });
    bind(QKeySequence(Qt::CTRL | Qt::Key_0), [this] { showDashboard(); });
    bind(QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { openSettings(); });
    bind(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L), [this] {
        setSidebarShown(true);
        m_sidebar->focusFilter();
    });
    for (int number = 1; number <= 9; ++number)
        bind(QKeySequence(Qt::CTRL | Qt::Key(Qt::Key_0 + number)), [this, number] { activateNumbered(number); });
}

} // namespace foundry::views
