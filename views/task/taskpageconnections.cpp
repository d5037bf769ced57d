// What the parts of a task's page ask for, and the tabs that are opened for the answers.
#include "views/task/taskpage.h"

#include "models/transcriptmodel.h"
#include "views/composer/composer.h"
#include "views/diff/changespanel.h"
#include "views/diff/diffview.h"
#include "views/session/sessiontabs.h"
#include "views/task/errorstrip.h"
#include "views/task/stagetimeline.h"
#include "views/task/taskheader.h"
#include "views/task/texttab.h"
#include "views/transcript/entrytext.h"
#include "views/transcript/transcriptview.h"

#include <QMessageBox>
#include <QStackedWidget>

namespace foundry::views {

namespace {

QString diffDocument(const QString &path, ChangeScope scope)
{
    return QStringLiteral("diff:%1:%2").arg(OpenEnum<ChangeScope>(scope).text(), path);
}

QString logDocument(const QString &stageId)
{
    return QStringLiteral("log:") + stageId;
}

QString blobDocument(const BlobId &blob)
{
    return QStringLiteral("blob:") + blob.value;
}

} // namespace

void TaskPage::connectParts()
{
    connect(m_header, &TaskHeader::renameRequested, this,
        [this](const QString &title) { Q_EMIT renameTaskRequested(m_models.taskId, title); });
    connect(m_header, &TaskHeader::changesToggled, this, &TaskPage::setChangesVisible);

    connect(m_stages, &StageTimeline::workChanged, this, [this](bool work) {
        m_stages->setVisible(work);
        updateEmptyText();
    });
    connect(m_stages, &StageTimeline::retryRequested, this,
        [this](const QString &stage) { Q_EMIT retryStageRequested(m_models.taskId, stage); });
    connect(m_stages, &StageTimeline::cancelRequested, this, [this] { Q_EMIT cancelProvisioningRequested(m_models.taskId); });
    connect(m_stages, &StageTimeline::branchClashResolved, this, [this](bool adopt, const QString &newName) {
        Q_EMIT resolveBranchClashRequested(m_models.taskId, adopt, newName);
    });
    connect(m_stages, &StageTimeline::logRequested, this, [this](const QString &stage) {
        TextTab *log = openText(logDocument(stage), tr("Log of the stage"));
        log->setLoading(m_connected ? QString() : tr("The log is at the host. It is read as soon as it can be reached."));
        Q_EMIT stageLogRequested(m_models.taskId, stage);
    });

    connect(m_tabs, &SessionTabs::sessionChosen, this, &TaskPage::sessionChosen);
    connect(m_tabs, &SessionTabs::documentChosen, this, &TaskPage::showDocument);
    connect(m_tabs, &SessionTabs::documentClosed, this, &TaskPage::closeDocument);
    connect(m_tabs, &SessionTabs::newRequested, this,
        [this](const AgentId &agent) { Q_EMIT newSessionRequested(m_models.taskId, agent); });
    connect(m_tabs, &SessionTabs::closeRequested, this,
        [this](const SessionId &session) { Q_EMIT closeSessionRequested(m_models.taskId, session); });
    connect(m_tabs, &SessionTabs::renameRequested, this, [this](const SessionId &session, const QString &name) {
        Q_EMIT renameSessionRequested(m_models.taskId, session, name);
    });

    connect(m_changes, &ChangesPanel::fileActivated, this, &TaskPage::openDiff);
    connect(m_changes, &ChangesPanel::refreshRequested, this, [this] { Q_EMIT refreshChangesRequested(m_models.taskId); });
}

void TaskPage::connectConversation()
{
    connect(m_transcript, &TranscriptView::permissionAnswered, this, [this](const QString &request, const QString &option) {
        Q_EMIT permissionAnswered(m_models.taskId, m_session, request, option);
    });
    connect(m_transcript, &TranscriptView::linkActivated, this, &TaskPage::confirmLink);
    connect(m_transcript, &TranscriptView::blobRequested, this, [this](const BlobRef &blob) {
        openText(blobDocument(blob.blobId), tr("Output, %1").arg(fileSizeText(blob.size)))
            ->setLoading(m_connected ? QString() : tr("If it was not opened before, it is at the host, and is read as soon as that can be reached."));
        Q_EMIT blobRequested(m_models.taskId, blob);
    });
    connect(m_transcript, &TranscriptView::textRequested, this, [this](const QString &title, const QString &text) {
        openText(QStringLiteral("text:") + title, title)->setText(text);
    });

    connect(m_composer, &Composer::sendRequested, this, [this](const SessionId &session, const QString &prompt) {
        m_transcript->scrollToBottom();
        m_error->clear(QStringLiteral("command"));
        Q_EMIT sendRequested(m_models.taskId, session, prompt);
    });
    connect(m_composer, &Composer::stopRequested, this,
        [this](const SessionId &session) { Q_EMIT cancelTurnRequested(m_models.taskId, session); });
    connect(m_composer, &Composer::editQueuedRequested, this, [this](const QueueId &queued, const QString &prompt) {
        Q_EMIT editQueuedRequested(m_models.taskId, queued, prompt);
    });
    connect(m_composer, &Composer::dropQueuedRequested, this,
        [this](const QueueId &queued) { Q_EMIT dropQueuedRequested(m_models.taskId, queued); });
    connect(m_composer, &Composer::modeChosen, this,
        [this](const SessionId &session, const QString &mode) { Q_EMIT setModeRequested(m_models.taskId, session, mode); });
    connect(m_composer, &Composer::modelChosen, this,
        [this](const SessionId &session, const QString &model) { Q_EMIT setModelRequested(m_models.taskId, session, model); });
    connect(m_composer, &Composer::optionChosen, this,
        [this](const SessionId &session, const QString &option, const QString &value) {
            Q_EMIT setOptionRequested(m_models.taskId, session, option, value);
        });
    connect(m_composer, &Composer::draftChanged, this, [this](const SessionId &session, const Draft &draft) {
        if (!m_models.taskId.isEmpty())
            Q_EMIT draftChanged(m_models.taskId, session, draft);
    });
    connect(m_composer, &Composer::dropUnsentRequested, this, &TaskPage::dropUnsentRequested);
    connect(m_composer, &Composer::sendAgainRequested, this, &TaskPage::sendAgainRequested);
    connect(m_composer, &Composer::takeBackRequested, this, &TaskPage::takeBackRequested);
    connect(m_stack, &QStackedWidget::currentChanged, this, &TaskPage::updateAsOf);
    connect(m_error, &ErrorStrip::actionTriggered, this, [this](const QString &key) {
        if (key == QLatin1StringView("session"))
            Q_EMIT resendInterruptedRequested(m_models.taskId, m_session);
    });
}

void TaskPage::openDiff(const QString &path, ChangeScope scope)
{
    const QString document = diffDocument(path, scope);
    auto *diff = qobject_cast<DiffView *>(m_documents.value(document));
    if (!diff) {
        diff = new DiffView(m_theme, m_highlighter, m_stack);
        diff->setConnected(m_connected);
        connect(diff, &DiffView::pageRequested, this, [this](const QString &wanted, ChangeScope from, const QString &cursor) {
            Q_EMIT diffRequested(m_models.taskId, wanted, from, cursor);
        });
        m_documents.insert(document, diff);
        m_stack->addWidget(diff);
    }
    m_tabs->openDocument(document, path.section(QLatin1Char('/'), -1), path);
    diff->load(path, scope);
}

TextTab *TaskPage::openText(const QString &documentId, const QString &title)
{
    auto *tab = qobject_cast<TextTab *>(m_documents.value(documentId));
    if (!tab) {
        tab = new TextTab(m_theme, title, m_stack);
        m_documents.insert(documentId, tab);
        m_stack->addWidget(tab);
    }
    m_tabs->openDocument(documentId, title, title);
    return tab;
}

void TaskPage::showDocument(const QString &documentId)
{
    if (QWidget *document = m_documents.value(documentId)) {
        m_stack->setCurrentWidget(document);
        document->setFocus();
    }
}

void TaskPage::closeDocument(const QString &documentId)
{
    if (QWidget *document = m_documents.take(documentId)) {
        m_stack->removeWidget(document);
        document->deleteLater();
    }
}

void TaskPage::setDiffPage(const QString &path, ChangeScope scope, const Result<DiffPage> &page)
{
    if (auto *diff = qobject_cast<DiffView *>(m_documents.value(diffDocument(path, scope))))
        diff->setPage(page);
}

void TaskPage::setStageLog(const QString &stageId, const Result<QString> &text)
{
    if (auto *tab = qobject_cast<TextTab *>(m_documents.value(logDocument(stageId))))
        tab->setText(text);
}

void TaskPage::setBlob(const BlobId &blob, const Result<QString> &text)
{
    if (auto *tab = qobject_cast<TextTab *>(m_documents.value(blobDocument(blob))))
        tab->setText(text);
}

// What an agent writes is no instruction of the user's: a link says where it leads before it is followed.
void TaskPage::confirmLink(const QUrl &url)
{
    auto *box = new QMessageBox(QMessageBox::NoIcon, tr("Open link"), tr("Open this link outside of the workbench?"),
        QMessageBox::Open | QMessageBox::Cancel, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setTextFormat(Qt::PlainText);
    box->setInformativeText(url.toDisplayString());
    box->setDefaultButton(QMessageBox::Cancel);
    const bool web = url.scheme() == QLatin1StringView("https") || url.scheme() == QLatin1StringView("http")
        || url.scheme() == QLatin1StringView("mailto");
    if (!web) {
        box->setText(tr("Only web addresses are opened. This one can be copied from the text."));
        box->setStandardButtons(QMessageBox::Close);
    }
    connect(box, &QMessageBox::finished, this, [this, url, web](int answer) {
        if (web && answer == QMessageBox::Open)
            Q_EMIT openLinkRequested(url);
    });
    box->open();
}

} // namespace foundry::views
