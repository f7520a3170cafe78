"""The bot that people would write with aiogram: a greeting and its prices; it keeps nothing."""

from __future__ import annotations

import os
import sys

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from tests.benchmarks.peers import PATH, PLANS, SECRET, TOKEN, greeting

dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    rows = [[InlineKeyboardButton(text=text, callback_data=data)] for text, data in PLANS]
    name = message.from_user.first_name if message.from_user else ""
    await message.answer(greeting(name), reply_markup=InlineKeyboardMarkup(inline_keyboard=rows))


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["FAR_END"]))
    app = web.Application()
    SimpleRequestHandler(dispatcher, Bot(TOKEN, session=session), secret_token=SECRET).register(
        app, path=PATH
    )
    await web._run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    uvloop.run(main())
