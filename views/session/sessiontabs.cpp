#include "views/session/sessiontabs.h"

#include "models/sessionlistmodel.h"
#include "views/common/controls.h"
#include "views/common/statelook.h"

#include <QBoxLayout>
#include <QLineEdit>
#include <QMenu>

#include <utility>

namespace foundry::views {

namespace {

QString sessionTabKey(const SessionId &session)
{
    return QStringLiteral("s:") + session.value;
}

QString documentTabKey(const QString &document)
{
    return QStringLiteral("d:") + document;
}

bool isSessionTab(const QString &key)
{
    return key.startsWith(QLatin1StringView("s:"));
}

} // namespace

SessionTabs::SessionTabs(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_bar(new SessionTabBar(theme, this))
    , m_new(new IconButton(theme, Icon::Plus, tr("New session"), this))
{
    setFixedHeight(40);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(8, 0, 8, 0);
    row->setSpacing(4);
    row->addWidget(m_bar, 0, Qt::AlignVCenter);
    row->addWidget(m_new, 0, Qt::AlignVCenter);
    row->addStretch(1);

    connect(m_bar, &QTabBar::currentChanged, this, &SessionTabs::currentTabChanged);
    connect(m_bar, &SessionTabBar::renameWanted, this, &SessionTabs::startRename);
    connect(m_new, &IconButton::clicked, this, &SessionTabs::showNewMenu);
}

void SessionTabs::setSessions(SessionListModel *sessions)
{
    if (sessions && m_sessions == sessions)
        return;
    if (m_sessions)
        m_sessions->disconnect(this);
    m_sessions = sessions;
    if (sessions) {
        connect(sessions, &QAbstractItemModel::rowsInserted, this, &SessionTabs::syncSessions);
        connect(sessions, &QAbstractItemModel::rowsRemoved, this, &SessionTabs::syncSessions);
        connect(sessions, &QAbstractItemModel::rowsMoved, this, &SessionTabs::syncSessions);
        connect(sessions, &QAbstractItemModel::dataChanged, this, &SessionTabs::syncSessions);
        connect(sessions, &QAbstractItemModel::modelReset, this, &SessionTabs::syncSessions);
    }
    syncSessions();
}

void SessionTabs::setAgents(const QList<Agent> &agents)
{
    m_agents = agents;
    syncSessions();
}

// Sessions stand first, in the model's order. Tabs are few; comparing them all is cheaper than being clever.
void SessionTabs::syncSessions()
{
    m_syncing = true;
    const QString before = m_bar->tabData(m_bar->currentIndex()).toString();
    QStringList wanted;
    for (int row = 0; m_sessions && row < m_sessions->count(); ++row) {
        if (!m_sessions->at(row).closedAt)
            wanted.append(sessionTabKey(m_sessions->at(row).id));
    }
    for (int tab = m_bar->count() - 1; tab >= 0; --tab) {
        const QString key = m_bar->tabData(tab).toString();
        if (isSessionTab(key) && !wanted.contains(key)) {
            m_bar->forget(key);
            m_bar->removeTab(tab);
        }
    }
    for (int place = 0; place < wanted.size(); ++place) {
        const QString &key = wanted.at(place);
        const Session *session = m_sessions->find(SessionId(key.mid(2)));
        if (!session)
            continue;
        int tab = tabOf(key);
        if (tab < 0) {
            tab = m_bar->insertTab(place, QString());
            m_bar->setTabData(tab, key);
            addCloseButton(tab, tr("Close session"));
        } else if (tab != place) {
            m_bar->moveTab(tab, place);
            tab = place;
        }
        QString agent = session->agent.value;
        for (const Agent &known : std::as_const(m_agents)) {
            if (known.id == session->agent)
                agent = known.name;
        }
        const QString name = session->name.isEmpty() ? (agent.isEmpty() ? tr("Session") : agent) : session->name;
        if (m_bar->tabText(tab) != name)
            m_bar->setTabText(tab, name);
        m_bar->setTabToolTip(tab, agent);
        SessionTabBar::Look look = m_bar->look(key);
        look.icon = int(agentIcon(session->agent));
        look.status = session->status;
        m_bar->setLook(key, look);
    }
    const int again = tabOf(before);
    if (again >= 0)
        m_bar->setCurrentIndex(again);
    m_syncing = false;
    m_bar->setVisible(m_bar->count() > 0);
    const QString after = m_bar->tabData(m_bar->currentIndex()).toString();
    if (after != before)
        currentTabChanged(m_bar->currentIndex());
}

int SessionTabs::tabOf(const QString &key) const
{
    for (int tab = 0; tab < m_bar->count(); ++tab) {
        if (m_bar->tabData(tab).toString() == key)
            return tab;
    }
    return -1;
}

SessionId SessionTabs::currentSession() const
{
    const QString key = m_bar->tabData(m_bar->currentIndex()).toString();
    return isSessionTab(key) ? SessionId(key.mid(2)) : SessionId();
}

QString SessionTabs::currentDocument() const
{
    const QString key = m_bar->tabData(m_bar->currentIndex()).toString();
    return key.isEmpty() || isSessionTab(key) ? QString() : key.mid(2);
}

bool SessionTabs::hasSession(const SessionId &session) const
{
    return tabOf(sessionTabKey(session)) >= 0;
}

SessionId SessionTabs::firstSession() const
{
    const QString key = m_bar->count() > 0 ? m_bar->tabData(0).toString() : QString();
    return isSessionTab(key) ? SessionId(key.mid(2)) : SessionId();
}

void SessionTabs::setCurrentSession(const SessionId &session)
{
    const int tab = tabOf(sessionTabKey(session));
    if (tab >= 0)
        m_bar->setCurrentIndex(tab);
}

void SessionTabs::setUnread(const SessionId &session, bool unread)
{
    const QString key = sessionTabKey(session);
    SessionTabBar::Look look = m_bar->look(key);
    if (tabOf(key) < 0 || look.unread == unread)
        return;
    look.unread = unread;
    m_bar->setLook(key, look);
}

void SessionTabs::openDocument(const QString &document, const QString &title, const QString &toolTip)
{
    const QString key = documentTabKey(document);
    int tab = tabOf(key);
    if (tab < 0) {
        m_syncing = true;
        tab = m_bar->addTab(title);
        m_bar->setTabData(tab, key);
        m_bar->setTabToolTip(tab, toolTip);
        m_bar->setLook(key, {int(document.startsWith(QLatin1StringView("diff:")) ? Icon::FileDiff : Icon::FileText), {}, false, false});
        addCloseButton(tab, tr("Close tab"));
        m_syncing = false;
        m_bar->show();
    }
    if (m_bar->currentIndex() == tab)
        currentTabChanged(tab);
    else
        m_bar->setCurrentIndex(tab);
}

void SessionTabs::closeDocument(const QString &document)
{
    const int tab = tabOf(documentTabKey(document));
    if (tab < 0)
        return;
    m_bar->forget(documentTabKey(document));
    m_bar->removeTab(tab);
}

void SessionTabs::currentTabChanged(int tab)
{
    if (m_syncing)
        return;
    const QString key = m_bar->tabData(tab).toString();
    if (isSessionTab(key)) {
        setUnread(SessionId(key.mid(2)), false);
        Q_EMIT sessionChosen(SessionId(key.mid(2)));
    } else if (!key.isEmpty()) {
        Q_EMIT documentChosen(key.mid(2));
    } else {
        Q_EMIT sessionChosen({});
    }
}

void SessionTabs::addCloseButton(int tab, const QString &name)
{
    const QString key = m_bar->tabData(tab).toString();
    auto *close = new IconButton(m_theme, Icon::X, name, m_bar);
    close->setExtent(20);
    close->setColorToken(&Colors::textFaint);
    connect(close, &IconButton::clicked, this, [this, key] { closeTab(key); });
    m_bar->setTabButton(tab, QTabBar::RightSide, close);
}

void SessionTabs::closeTab(const QString &key)
{
    if (isSessionTab(key)) {
        Q_EMIT closeRequested(SessionId(key.mid(2)));
        return;
    }
    closeDocument(key.mid(2));
    Q_EMIT documentClosed(key.mid(2));
}

void SessionTabs::startRename(int tab)
{
    const QString key = m_bar->tabData(tab).toString();
    if (!isSessionTab(key) || m_rename)
        return;
    const QString before = m_bar->tabText(tab);
    auto *edit = new QLineEdit(before, m_bar);
    m_rename = edit;
    edit->setAccessibleName(tr("Name of the session"));
    edit->setGeometry(m_bar->tabRect(tab).adjusted(4, 2, -4, -2));
    edit->selectAll();
    edit->show();
    edit->setFocus();
    connect(edit, &QLineEdit::editingFinished, this, [this, edit, key, before] {
        if (m_rename != edit)
            return;
        m_rename = nullptr;
        const QString name = edit->text().trimmed();
        if (!name.isEmpty() && name != before && !edit->property("cancelled").toBool())
            Q_EMIT renameRequested(SessionId(key.mid(2)), name);
        edit->deleteLater();
        m_bar->setFocus();
    });
    auto *cancel = new QAction(edit);
    cancel->setShortcut(QKeySequence(Qt::Key_Escape));
    cancel->setShortcutContext(Qt::WidgetShortcut);
    edit->addAction(cancel);
    connect(cancel, &QAction::triggered, edit, [edit] {
        edit->setProperty("cancelled", true);
        edit->clearFocus();
    });
}

// One agent that can be used: no question. More: which one.
void SessionTabs::showNewMenu()
{
    QList<Agent> usable;
    for (const Agent &agent : std::as_const(m_agents)) {
        if (agent.state.is(AgentState::Ready))
            usable.append(agent);
    }
    if (usable.size() < 2) {
        Q_EMIT newRequested(usable.isEmpty() ? AgentId() : usable.first().id);
        return;
    }
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const Agent &agent : std::as_const(usable)) {
        const QIcon icon = m_theme->icons().icon(agentIcon(agent.id), m_theme->colors().textMuted);
        menu->addAction(icon, tr("New session with %1").arg(agent.name), this, [this, id = agent.id] { Q_EMIT newRequested(id); });
    }
    menu->popup(m_new->mapToGlobal(QPoint(0, m_new->height() + 4)));
}

} // namespace foundry::views
