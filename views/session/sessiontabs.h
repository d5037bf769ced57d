// The strip of tabs above the conversation: the task's sessions, then opened diffs and logs, then + for a new session.
// Sessions are renamed in place (F2 or double click). The unread dot says that something came that was not on screen.
// GUI thread.
#pragma once

#include "models/types/organization.h"
#include "models/types/session.h"

#include <QHash>
#include <QPointer>
#include <QTabBar>
#include <QWidget>

class QLineEdit;

namespace foundry {
class SessionListModel;
}

namespace foundry::views {

class IconButton;
class SessionTabBar;
class ThemeProvider;

class SessionTabs : public QWidget {
    Q_OBJECT
public:
    explicit SessionTabs(ThemeProvider *theme, QWidget *parent = nullptr);

    void setSessions(SessionListModel *sessions); // may be null
    void setAgents(const QList<Agent> &agents);

    SessionId currentSession() const; // empty on a document
    QString currentDocument() const;  // empty on a session
    bool hasSession(const SessionId &session) const;
    SessionId firstSession() const; // the first open one
    void setCurrentSession(const SessionId &session);
    void setUnread(const SessionId &session, bool unread);

    // Documents: ids are the caller's.
    void openDocument(const QString &document, const QString &title, const QString &toolTip);
    void closeDocument(const QString &document);

Q_SIGNALS:
    void sessionChosen(const foundry::SessionId &session);
    void documentChosen(const QString &document);
    void documentClosed(const QString &document);
    void renameRequested(const foundry::SessionId &session, const QString &name);
    void closeRequested(const foundry::SessionId &session);
    void newRequested(const foundry::AgentId &agent);

private:
    void syncSessions();
    void currentTabChanged(int tab);
    int tabOf(const QString &key) const;
    void addCloseButton(int tab, const QString &name);
    void closeTab(const QString &key);
    void startRename(int tab);
    void showNewMenu();

    ThemeProvider *m_theme;
    SessionTabBar *m_bar;
    IconButton *m_new;
    QPointer<SessionListModel> m_sessions;
    QList<Agent> m_agents;
    QPointer<QLineEdit> m_rename;
    bool m_syncing = false;
};

// The bar itself; paints its tabs from tokens. Tab data is "s:" and a session's id, or "d:" and a document's.
class SessionTabBar : public QTabBar {
    Q_OBJECT
public:
    explicit SessionTabBar(ThemeProvider *theme, QWidget *parent = nullptr);

    struct Look {
        int icon = 0; // Icon
        OpenEnum<SessionStatus> status = {};
        bool session = true;
        bool unread = false;
    };
    void setLook(const QString &key, const Look &look);
    Look look(const QString &key) const { return m_looks.value(key); }
    void forget(const QString &key) { m_looks.remove(key); }

Q_SIGNALS:
    void renameWanted(int tab);

protected:
    QSize tabSizeHint(int tab) const override;
    QSize minimumTabSizeHint(int tab) const override;
    void paintEvent(QPaintEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    ThemeProvider *m_theme;
    QHash<QString, Look> m_looks;
};

} // namespace foundry::views
