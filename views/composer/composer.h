// Where prompts are written: the field, what is queued, the agent's own choices (mode, model, options), send or stop. What
// is typed is kept per session, across switches; `draftChanged` hands it out to be stored. GUI thread.
#pragma once

#include "models/types/outboxitem.h"
#include "models/types/session.h"
#include "models/types/user.h"

#include <QHash>
#include <QSet>
#include <QTimer>
#include <QWidget>

class QHBoxLayout;

namespace foundry {
class QueuedPromptModel;
}

namespace foundry::views {

class Button;
class IconButton;
class Label;
class PromptEdit;
class QueuedList;
class Surface;
class ThemeProvider;

class Composer : public QWidget {
    Q_OBJECT
public:
    explicit Composer(ThemeProvider *theme, QWidget *parent = nullptr);

    void setQueue(QueuedPromptModel *queue);
    // The session on screen; null: none. Called again with each change of it.
    void setSession(const Session *session);
    // What is known of the session's agent: fills the pickers where the session itself offers nothing yet.
    void setAgent(const Agent &agent);
    // Why nothing can be written now; empty: it can.
    void setBlocked(const QString &reason);
    // Without a link prompts are taken all the same, and wait.
    void setConnected(bool connected);
    void setOutbox(const QList<OutboxItem> &items);

    void setDraft(const SessionId &session, const QString &text); // not over what was typed here
    void restore(const SessionId &session, const QString &text);
    // What was typed is said now, not in a moment: somebody is about to leave.
    void flushDraft();
    QString text() const;
    PromptEdit *edit() const { return m_edit; }

Q_SIGNALS:
    void sendRequested(const foundry::SessionId &session, const QString &prompt);
    void stopRequested(const foundry::SessionId &session);
    void editQueuedRequested(const foundry::QueueId &queued, const QString &prompt);
    void dropQueuedRequested(const foundry::QueueId &queued);
    void dropUnsentRequested(const foundry::RequestId &id);
    void sendAgainRequested(const foundry::RequestId &id);
    void takeBackRequested(const foundry::RequestId &id);
    void modeChosen(const foundry::SessionId &session, const QString &mode);
    void modelChosen(const foundry::SessionId &session, const QString &model);
    void optionChosen(const foundry::SessionId &session, const QString &option, const QString &value);
    void draftChanged(const foundry::SessionId &session, const foundry::Draft &draft);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    struct Picker {
        QString id;       // the option's id; "mode" and "model" for those
        QString category; // mode, model, …
        QString name;
        QString current;
        QList<AgentChoice> values;
        friend bool operator==(const Picker &, const Picker &) = default;
    };

    QList<Picker> pickersWanted() const;
    void syncPickers();
    void choose(const Picker &picker, const QString &value);
    void submit();
    void escape();
    void beginEdit(const QueueId &queued, const QString &text);
    void endEdit();
    void typed();
    void publishDraft();
    void updateState();
    bool running() const { return m_session && m_session->status.is(SessionStatus::Running); }

    ThemeProvider *m_theme;
    std::optional<Session> m_session;
    std::optional<Agent> m_agent;
    QHash<SessionId, QString> m_drafts;
    QSet<SessionId> m_touched; // written in here: a stored draft comes too late
    QueueId m_edited;      // the queued prompt that is in the field
    QString m_beforeEdit;  // what was typed before it
    QString m_blocked;
    bool m_connected = true;
    bool m_loading = false;
    QList<Picker> m_pickers;
    QTimer m_draftTimer;

    Surface *m_card = nullptr;
    QueuedList *m_queued = nullptr;
    PromptEdit *m_edit = nullptr;
    QHBoxLayout *m_pickerRow = nullptr;
    Label *m_hint = nullptr;
    IconButton *m_stop = nullptr;
    Button *m_send = nullptr;
};

} // namespace foundry::views
