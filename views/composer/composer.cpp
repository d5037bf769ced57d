#include "views/composer/composer.h"

#include "views/common/controls.h"
#include "views/common/intents.h"
#include "views/composer/promptedit.h"
#include "views/composer/queuedlist.h"

#include <QBoxLayout>
#include <QEvent>
#include <QMenu>
#include <QMouseEvent>

namespace foundry::views {

namespace {

constexpr int composerDraftDelay = 300; // ms after the first key that is not saved: who goes on typing is saved all the same

} // namespace

Composer::Composer(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 0);
    m_card = new Surface(theme, &Colors::field, this);
    m_card->setCard(&Colors::border);
    page->addWidget(m_card);
    auto *card = new QVBoxLayout(m_card);
    card->setContentsMargins(1, 1, 1, 1);
    card->setSpacing(0);

    m_queued = new QueuedList(theme, m_card);
    card->addWidget(m_queued);

    m_edit = new PromptEdit(theme, m_card);
    m_edit->setAccessibleName(tr("Prompt"));
    m_edit->installEventFilter(this);
    auto *field = new QHBoxLayout;
    field->setContentsMargins(16, 12, 12, 4);
    field->addWidget(m_edit);
    card->addLayout(field);

    auto *row = new QHBoxLayout;
    row->setContentsMargins(8, 4, 8, 8);
    row->setSpacing(4);
    m_pickerRow = new QHBoxLayout;
    m_pickerRow->setSpacing(2);
    row->addLayout(m_pickerRow);
    m_hint = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, m_card);
    m_hint->setElided(true);
    m_hint->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_hint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row->addWidget(m_hint, 1);
    row->addSpacing(4);
    m_stop = new IconButton(theme, Icon::CircleStop, tr("Stop the turn"), m_card);
    m_stop->setName(tr("Stop the turn"), tr("Esc"));
    m_stop->setColorToken(&Colors::red);
    row->addWidget(m_stop);
    m_send = new Button(theme, Icon::ArrowUp, tr("Send"), ButtonLook::Primary, m_card);
    m_send->setSmall(true);
    row->addWidget(m_send);
    card->addLayout(row);
    m_card->setCursor(Qt::IBeamCursor);
    m_card->installEventFilter(this);

    m_draftTimer.setSingleShot(true);
    m_draftTimer.setInterval(composerDraftDelay);
    connect(&m_draftTimer, &QTimer::timeout, this, &Composer::publishDraft);
    connect(m_edit, &PromptEdit::textChanged, this, &Composer::typed);
    connect(m_edit, &PromptEdit::submitted, this, &Composer::submit);
    connect(m_edit, &PromptEdit::escapePressed, this, &Composer::escape);
    connect(m_send, &Button::clicked, this, &Composer::submit);
    connect(m_stop, &IconButton::clicked, this, [this] {
        if (m_session)
            Q_EMIT stopRequested(m_session->id);
    });
    connect(m_queued, &QueuedList::editRequested, this, &Composer::beginEdit);
    connect(m_queued, &QueuedList::dropRequested, this, [this](const QueueId &queued) {
        if (m_edited == queued)
            endEdit();
        Q_EMIT dropQueuedRequested(queued);
    });
    connect(m_queued, &QueuedList::dropUnsentRequested, this, &Composer::dropUnsentRequested);
    connect(m_queued, &QueuedList::sendAgainRequested, this, &Composer::sendAgainRequested);
    connect(m_queued, &QueuedList::takeBackRequested, this, &Composer::takeBackRequested);
    connect(m_queued, &QueuedList::countChanged, this, &Composer::updateState);
    updateState();
}

void Composer::setQueue(QueuedPromptModel *queue)
{
    m_queued->setQueue(queue);
}

void Composer::setSession(const Session *session)
{
    const SessionId before = m_session ? m_session->id : SessionId();
    const SessionId after = session ? session->id : SessionId();
    if (before != after) {
        endEdit();
        if (m_draftTimer.isActive())
            publishDraft();
        if (!before.isEmpty())
            m_drafts.insert(before, m_edit->toPlainText());
    }
    m_session = session ? std::optional<Session>(*session) : std::nullopt;
    if (before != after) {
        m_queued->setSession(after);
        m_loading = true;
        m_edit->setPlainText(m_drafts.value(after));
        m_edit->moveCursor(QTextCursor::End);
        m_loading = false;
    }
    syncPickers();
    updateState();
}

void Composer::setAgent(const Agent &agent)
{
    m_agent = agent;
    syncPickers();
}

void Composer::setBlocked(const QString &reason)
{
    m_blocked = reason;
    updateState();
}

void Composer::setConnected(bool connected)
{
    m_connected = connected;
    updateState();
}

void Composer::setOutbox(const QList<OutboxItem> &items)
{
    m_queued->setOutbox(items);
}

void Composer::setDraft(const SessionId &session, const QString &text)
{
    // Also not after sending: the store's echo of what was typed before would bring it back.
    if (m_touched.contains(session))
        return;
    if (m_session && m_session->id == session) {
        if (!m_edited.isEmpty())
            return;
        m_loading = true;
        m_edit->setPlainText(text);
        m_edit->moveCursor(QTextCursor::End);
        m_loading = false;
        updateState();
    }
    m_drafts.insert(session, text);
}

void Composer::restore(const SessionId &session, const QString &text)
{
    const bool shown = m_session && m_session->id == session;
    QString whole = shown ? m_edit->toPlainText() : m_drafts.value(session);
    whole = whole.isEmpty() ? text : text + QLatin1Char('\n') + whole;
    m_drafts.insert(session, whole);
    m_touched.insert(session);
    if (shown) {
        m_edit->setPlainText(whole);
        m_edit->moveCursor(QTextCursor::End);
    }
}

QString Composer::text() const
{
    return m_edit->toPlainText();
}

QList<Composer::Picker> Composer::pickersWanted() const
{
    QList<Picker> pickers;
    if (!m_session)
        return pickers;
    bool mode = false;
    bool model = false;
    for (const SessionOption &option : m_session->options) {
        if (option.values.isEmpty())
            continue;
        mode = mode || option.category == QLatin1StringView("mode");
        model = model || option.category == QLatin1StringView("model");
        pickers.append({option.id, option.category, option.name, option.currentValue, option.values});
    }
    // Before the session says what it offers: what its agent said the last time.
    if (m_agent && m_agent->id == m_session->agent && m_agent->lastOptions) {
        if (!mode && !m_agent->lastOptions->modes.isEmpty())
            pickers.append({QStringLiteral("mode"), QStringLiteral("mode"), tr("Mode"), m_session->mode.value_or(QString()), m_agent->lastOptions->modes});
        if (!model && !m_agent->lastOptions->models.isEmpty())
            pickers.append({QStringLiteral("model"), QStringLiteral("model"), tr("Model"), m_session->model.value_or(QString()), m_agent->lastOptions->models});
    }
    return pickers;
}

void Composer::syncPickers()
{
    const QList<Picker> wanted = pickersWanted();
    if (wanted == m_pickers)
        return;
    m_pickers = wanted;
    while (QLayoutItem *item = m_pickerRow->takeAt(0)) {
        if (QWidget *button = item->widget()) {
            button->hide();
            button->deleteLater();
        }
        delete item;
    }
    for (const Picker &picker : wanted) {
        QString shown = picker.current.isEmpty() ? tr("%1: default").arg(picker.name) : picker.current;
        for (const AgentChoice &value : picker.values) {
            if (value.id == picker.current)
                shown = value.name.isEmpty() ? value.id : value.name;
        }
        auto *button = new Button(m_theme, Icon::ChevronsUpDown, shown, ButtonLook::Ghost, m_card);
        button->setSmall(true);
        button->setLayoutDirection(Qt::RightToLeft); // the mark stands after the words
        button->setToolTip(picker.name);
        button->setAccessibleName(tr("%1: %2").arg(picker.name, shown));
        connect(button, &Button::clicked, this, [this, picker, button] {
            auto *menu = new QMenu(this);
            menu->setAttribute(Qt::WA_DeleteOnClose);
            for (const AgentChoice &value : picker.values) {
                QAction *action = menu->addAction(value.name.isEmpty() ? value.id : value.name, this,
                    [this, picker, id = value.id] { choose(picker, id); });
                action->setCheckable(true);
                action->setChecked(value.id == picker.current);
                action->setToolTip(value.description);
            }
            menu->setToolTipsVisible(true);
            menu->popup(button->mapToGlobal(QPoint(0, -menu->sizeHint().height() - 4)));
        });
        m_pickerRow->addWidget(button);
    }
}

void Composer::choose(const Picker &picker, const QString &value)
{
    if (!m_session || value == picker.current)
        return;
    if (picker.category == QLatin1StringView("mode"))
        Q_EMIT modeChosen(m_session->id, value);
    else if (picker.category == QLatin1StringView("model"))
        Q_EMIT modelChosen(m_session->id, value);
    else
        Q_EMIT optionChosen(m_session->id, picker.id, value);
}

void Composer::submit()
{
    const QString prompt = m_edit->toPlainText();
    if (!m_session || !m_send->isEnabled() || prompt.trimmed().isEmpty())
        return;
    if (!m_edited.isEmpty()) {
        Q_EMIT editQueuedRequested(m_edited, prompt);
        endEdit();
        return;
    }
    const SessionId session = m_session->id;
    m_loading = true;
    m_edit->clear();
    m_loading = false;
    m_drafts.insert(session, QString());
    publishDraft();
    updateState();
    Q_EMIT sendRequested(session, prompt);
}

void Composer::escape()
{
    if (!m_edited.isEmpty())
        endEdit();
    else if (running() && m_connected)
        Q_EMIT stopRequested(m_session->id);
}

void Composer::beginEdit(const QueueId &queued, const QString &text)
{
    if (m_edited.isEmpty())
        m_beforeEdit = m_edit->toPlainText();
    m_edited = queued;
    m_loading = true;
    m_edit->setPlainText(text);
    m_edit->moveCursor(QTextCursor::End);
    m_loading = false;
    m_edit->setFocus();
    m_queued->setEdited(queued);
    updateState();
}

void Composer::endEdit()
{
    if (m_edited.isEmpty())
        return;
    m_edited = {};
    m_loading = true;
    m_edit->setPlainText(m_beforeEdit);
    m_edit->moveCursor(QTextCursor::End);
    m_loading = false;
    m_beforeEdit.clear();
    m_queued->setEdited({});
    updateState();
}

void Composer::typed()
{
    if (!m_loading && m_session && m_edited.isEmpty()) {
        m_touched.insert(m_session->id);
        m_drafts.insert(m_session->id, m_edit->toPlainText());
        if (!m_draftTimer.isActive())
            m_draftTimer.start();
    }
    updateState();
}

void Composer::publishDraft()
{
    m_draftTimer.stop();
    if (m_session)
        Q_EMIT draftChanged(m_session->id, Draft{m_drafts.value(m_session->id), {}, {}});
}

void Composer::flushDraft()
{
    if (m_draftTimer.isActive())
        publishDraft();
}

void Composer::updateState()
{
    const QString text = m_edit->toPlainText();
    const bool blank = text.trimmed().isEmpty();
    // Counting bytes of a long text with each key would cost; characters bound them.
    const bool tooLong = text.size() * 3 > maxPromptBytes && text.toUtf8().size() > maxPromptBytes;
    const bool can = m_session && m_blocked.isEmpty();
    const bool pending = m_session
        && (m_session->status.is(SessionStatus::PendingProvision) || m_session->status.is(SessionStatus::PendingSessionCreate));

    m_edit->setReadOnly(!can);
    if (!m_blocked.isEmpty())
        m_edit->setPlaceholderText(m_blocked);
    else if (!m_session)
        m_edit->setPlaceholderText(tr("There is no session: + opens one"));
    else if (running())
        m_edit->setPlaceholderText(tr("Write what comes next"));
    else
        m_edit->setPlaceholderText(tr("Write what should be done"));

    QString hint;
    if (tooLong)
        hint = tr("Too long: a prompt has at most 256 KiB. Put the rest into a file and name it here.");
    else if (!m_edited.isEmpty())
        hint = tr("Enter keeps the change, Esc drops it");
    else if (!m_blocked.isEmpty())
        hint = QString();
    else if (!m_connected)
        hint = blank ? tr("Not connected: what you write is kept") : tr("Not connected: Enter keeps it, and it is sent when the host is back");
    else if (pending)
        hint = tr("Sent as soon as the agent is ready");
    else if (running())
        hint = blank ? tr("Esc stops the turn") : tr("Enter queues it for after this turn");
    else if (!blank)
        hint = tr("Shift+Enter for a new line");
    m_hint->setText(hint);
    m_hint->setElided(!tooLong); // what to do is read whole
    m_hint->setWordWrap(tooLong);
    m_hint->setColorToken(tooLong ? &Colors::red : &Colors::textFaint);

    m_stop->setVisible(running());
    m_stop->setEnabled(m_connected);
    if (m_connected)
        m_stop->setName(tr("Stop the turn"), tr("Esc"));
    else
        m_stop->setName(tr("The turn can be stopped when the host can be reached"));
    m_send->setEnabled(can && !blank && !tooLong);
    m_send->setText(!m_edited.isEmpty() ? tr("Save") : running() || pending || !m_connected ? tr("Queue") : tr("Send"));
    m_send->setToolTip(m_connected ? QString() : tr("Kept on this computer, and sent when the host can be reached"));
}

bool Composer::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_card && event->type() == QEvent::MouseButtonPress) {
        m_edit->setFocus(Qt::MouseFocusReason);
    } else if (watched == m_edit && (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut)) {
        m_card->setCard(event->type() == QEvent::FocusIn ? &Colors::accent : &Colors::border);
        m_card->update();
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace foundry::views
