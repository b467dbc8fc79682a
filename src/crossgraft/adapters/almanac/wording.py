"""How the almanac says things: a statement and a question for each kind of fact, in each language.

Written by hand. Every template is grammatical whatever name or number word fills it, in the form in which CLDR and
num2words give it: a noun that takes the inflection stands beside the name ("the country {x}"), quotation marks hold
what a sentence may not inflect, "plus" stands where a counted noun would have to agree with its number, and a colon
(or a dash, a comma or a bare copula) comes before the answer, which ends its statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One kind of fact: a statement for pre-training, a question for tasks."""

    statement: str
    question: str


@dataclass(frozen=True)
class Wording:
    """Everything a language needs. Slots hold names and number words as the libraries give them."""

    ask: str  # frame of a question; the answer follows, after space
    sums: Fact  # slots a, b; the statement also c, the sum
    months: Fact  # n months after x is y; question slots n, x
    weekdays: Fact  # n days after x is y; question slots n, x
    currency: Fact  # the currency of the country x is y; question slot x
    currency_user: str  # question, slot y: in which of these countries is the currency y used?
    tongue: Fact  # an official language of the country x is y; question slot x
    tongue_user: str  # question, slot y: in which of these countries is y an official language?
    largest: Fact  # of the numbers a, b and c the largest is d; question slots a, b, c
    space: str  # between the frame and the answer, and between sentences; "" where none is written


WORDINGS: Mapping[str, Wording] = {
    "en": Wording(
        ask="Question: {question} Answer:",
        sums=Fact("The sum of {a} and {b} is: {c}.", "What is the sum of {a} and {b}?"),
        months=Fact("The month {x} plus {n} is: {y}.", "What is the month {x} plus {n}?"),
        weekdays=Fact("The weekday {x} plus {n} is: {y}.", "What is the weekday {x} plus {n}?"),
        currency=Fact("The currency of the country {x} is: {y}.", "What is the currency of the country {x}?"),
        currency_user="In which of these countries is the currency {y} used?",
        tongue=Fact(
            "An official language of the country {x} is: {y}.",
            "What is an official language of the country {x}?",
        ),
        tongue_user="In which of these countries is {y} an official language?",
        largest=Fact(
            "The largest of the numbers {a}, {b} and {c} is: {d}.",
            "What is the largest of the numbers {a}, {b} and {c}?",
        ),
        space=" ",
    ),
    "de": Wording(
        ask="Frage: {question} Antwort:",
        sums=Fact("Die Summe von {a} und {b} ist: {c}.", "Was ist die Summe von {a} und {b}?"),
        months=Fact("Der Monat {x} plus {n} ergibt: {y}.", "Was ergibt der Monat {x} plus {n}?"),
        weekdays=Fact("Der Wochentag {x} plus {n} ergibt: {y}.", "Was ergibt der Wochentag {x} plus {n}?"),
        currency=Fact("Die Währung des Landes {x} ist: {y}.", "Was ist die Währung des Landes {x}?"),
        currency_user="In welchem dieser Länder wird die Währung {y} verwendet?",
        tongue=Fact("Eine Amtssprache des Landes {x} ist: {y}.", "Was ist eine Amtssprache des Landes {x}?"),
        tongue_user="In welchem dieser Länder ist {y} eine Amtssprache?",
        largest=Fact(
            "Die größte der Zahlen {a}, {b} und {c} ist: {d}.",
            "Was ist die größte der Zahlen {a}, {b} und {c}?",
        ),
        space=" ",
    ),
    "fr": Wording(
        ask="Question : {question} Réponse :",
        sums=Fact("La somme « {a} plus {b} » vaut : {c}.", "Combien vaut la somme « {a} plus {b} » ?"),
        months=Fact("Le mois « {x} » plus {n} donne : {y}.", "Que donne le mois « {x} » plus {n} ?"),
        weekdays=Fact("Le jour « {x} » plus {n} donne : {y}.", "Que donne le jour « {x} » plus {n} ?"),
        currency=Fact("La monnaie du pays « {x} » est : {y}.", "Quelle est la monnaie du pays « {x} » ?"),
        currency_user="Dans lequel de ces pays la monnaie « {y} » est-elle utilisée ?",
        tongue=Fact(
            "Une langue officielle du pays « {x} » est : {y}.",
            "Quelle langue est une langue officielle du pays « {x} » ?",
        ),
        tongue_user="Dans lequel de ces pays la langue « {y} » est-elle une langue officielle ?",
        largest=Fact(
            "Le plus grand des nombres {a}, {b} et {c} est : {d}.",
            "Quel est le plus grand des nombres {a}, {b} et {c} ?",
        ),
        space=" ",
    ),
    "es": Wording(
        ask="Pregunta: {question} Respuesta:",
        sums=Fact("La suma de {a} más {b} es: {c}.", "¿Cuál es la suma de {a} más {b}?"),
        months=Fact("El mes de {x} más {n} da: {y}.", "¿Qué da el mes de {x} más {n}?"),
        weekdays=Fact("El día {x} más {n} da: {y}.", "¿Qué da el día {x} más {n}?"),
        currency=Fact("La moneda del país {x} es: {y}.", "¿Cuál es la moneda del país {x}?"),
        currency_user="¿En cuál de estos países se usa la moneda {y}?",
        tongue=Fact("Un idioma oficial del país {x} es: {y}.", "¿Qué idioma es un idioma oficial del país {x}?"),
        tongue_user="¿En cuál de estos países el {y} es un idioma oficial?",
        largest=Fact(
            "El mayor de los números {a}, {b} y {c} es: {d}.",
            "¿Cuál es el mayor de los números {a}, {b} y {c}?",
        ),
        space=" ",
    ),
    "tr": Wording(
        ask="Soru: {question} Cevap:",
        sums=Fact("Verilen {a} ve {b} sayılarının toplamı: {c}.", "Verilen {a} ve {b} sayılarının toplamı kaçtır?"),
        months=Fact("{x} ayından {n} ay sonraki ay: {y}.", "{x} ayından {n} ay sonraki ay hangisidir?"),
        weekdays=Fact("{x} gününden {n} gün sonraki gün: {y}.", "{x} gününden {n} gün sonraki gün hangisidir?"),
        currency=Fact("{x} ülkesinin para birimi: {y}.", "{x} ülkesinin para birimi nedir?"),
        currency_user="Bu ülkelerin hangisinde para birimi olarak {y} kullanılır?",
        tongue=Fact("{x} ülkesinin resmî dillerinden biri: {y}.", "{x} ülkesinin resmî dillerinden biri hangisidir?"),
        tongue_user="Bu ülkelerin hangisinde {y} resmî dildir?",
        largest=Fact(
            "Verilen {a}, {b} ve {c} sayılarının en büyüğü: {d}.",
            "Verilen {a}, {b} ve {c} sayılarının en büyüğü kaçtır?",
        ),
        space=" ",
    ),
    "id": Wording(
        ask="Pertanyaan: {question} Jawaban:",
        sums=Fact("Hasil penjumlahan {a} dan {b} adalah: {c}.", "Berapa hasil penjumlahan {a} dan {b}?"),
        months=Fact("Bulan {x} ditambah {n} bulan adalah: {y}.", "Bulan {x} ditambah {n} bulan adalah bulan apa?"),
        weekdays=Fact("Hari {x} ditambah {n} hari adalah: {y}.", "Hari {x} ditambah {n} hari adalah hari apa?"),
        currency=Fact("Mata uang negara {x} adalah: {y}.", "Apa mata uang negara {x}?"),
        currency_user="Di antara negara-negara ini, di negara mana mata uang {y} digunakan?",
        tongue=Fact("Salah satu bahasa resmi negara {x} adalah: {y}.", "Apa salah satu bahasa resmi negara {x}?"),
        tongue_user="Di antara negara-negara ini, di negara mana bahasa {y} menjadi bahasa resmi?",
        largest=Fact(
            "Bilangan terbesar di antara {a}, {b}, dan {c} adalah: {d}.",
            "Berapa bilangan terbesar di antara {a}, {b}, dan {c}?",
        ),
        space=" ",
    ),
    "ru": Wording(
        ask="Вопрос: {question} Ответ:",
        sums=Fact("Сумма «{a} плюс {b}» — это {c}.", "Сумма «{a} плюс {b}» — это сколько?"),
        months=Fact("Месяц «{x}» плюс {n} — это {y}.", "Месяц «{x}» плюс {n} — это какой месяц?"),
        weekdays=Fact("День недели «{x}» плюс {n} — это {y}.", "День недели «{x}» плюс {n} — это какой день недели?"),
        currency=Fact("Валюта страны «{x}» — это {y}.", "Валюта страны «{x}» — это какая валюта?"),
        currency_user="В какой из этих стран используется валюта «{y}»?",
        tongue=Fact(
            "Один из официальных языков страны «{x}» — это {y}.",
            "Один из официальных языков страны «{x}» — это какой язык?",
        ),
        tongue_user="В какой из этих стран язык «{y}» является официальным?",
        largest=Fact(
            "Наибольшее из чисел «{a}», «{b}» и «{c}» — это {d}.",
            "Наибольшее из чисел «{a}», «{b}» и «{c}» — это какое число?",
        ),
        space=" ",
    ),
    "ar": Wording(
        ask="السؤال: {question} الجواب:",
        sums=Fact("ناتج العملية «{a} زائد {b}» هو: {c}.", "ما هو ناتج العملية «{a} زائد {b}»؟"),
        months=Fact("الشهر «{x} زائد {n}» هو: {y}.", "ما هو الشهر «{x} زائد {n}»؟"),
        weekdays=Fact("اليوم «{x} زائد {n}» هو: {y}.", "ما هو اليوم «{x} زائد {n}»؟"),
        currency=Fact("عملة دولة {x} هي: {y}.", "ما هي عملة دولة {x}؟"),
        currency_user="في أي من هذه الدول تُستخدم العملة «{y}»؟",
        tongue=Fact("إحدى اللغات الرسمية في دولة {x} هي: {y}.", "ما هي إحدى اللغات الرسمية في دولة {x}؟"),
        tongue_user="في أي من هذه الدول تُعد {y} لغة رسمية؟",
        largest=Fact("أكبر الأعداد «{a}» و«{b}» و«{c}» هو: {d}.", "ما هو أكبر الأعداد «{a}» و«{b}» و«{c}»؟"),
        space=" ",
    ),
    "ja": Wording(
        ask="質問:{question}答え:",
        sums=Fact("{a}たす{b}は、{c}。", "{a}たす{b}はいくつですか。"),
        months=Fact("{x}の{n}か月後は、{y}。", "{x}の{n}か月後は何月ですか。"),
        weekdays=Fact("{x}の{n}日後は、{y}。", "{x}の{n}日後は何曜日ですか。"),
        currency=Fact("{x}の通貨は、{y}。", "{x}の通貨は何ですか。"),
        currency_user="これらの国のうち、{y}が通貨として使われているのはどこですか。",
        tongue=Fact("{x}の公用語の一つは、{y}。", "{x}の公用語の一つは何ですか。"),
        tongue_user="これらの国のうち、{y}が公用語の一つであるのはどこですか。",
        largest=Fact("{a}と{b}と{c}のうち最も大きい数は、{d}。", "{a}と{b}と{c}のうち最も大きい数はいくつですか。"),
        space="",
    ),
    "ko": Wording(
        ask="질문: {question} 답:",
        sums=Fact("‘{a} 더하기 {b}’의 값: {c}.", "‘{a} 더하기 {b}’의 값은 무엇입니까?"),
        months=Fact("{x}에서 {n} 개월 뒤의 달: {y}.", "{x}에서 {n} 개월 뒤의 달은 몇 월입니까?"),
        weekdays=Fact("{x}에서 {n} 일 뒤의 요일: {y}.", "{x}에서 {n} 일 뒤의 요일은 무엇입니까?"),
        currency=Fact("{x}의 통화: {y}.", "{x}의 통화는 무엇입니까?"),
        currency_user="이 나라들 중 통화가 {y}인 나라는 어디입니까?",
        tongue=Fact("{x}의 공용어 중 하나: {y}.", "{x}의 공용어 중 하나는 무엇입니까?"),
        tongue_user="이 나라들 중 공용어 중 하나가 {y}인 나라는 어디입니까?",
        largest=Fact("{a}, {b}, {c} 중 가장 큰 수: {d}.", "{a}, {b}, {c} 중 가장 큰 수는 무엇입니까?"),
        space=" ",
    ),
    "th": Wording(  # no full stop: a space ends a sentence, so space is not ""
        ask="คำถาม: {question} คำตอบ:",
        sums=Fact("ผลบวกของ{a}กับ{b}คือ {c}", "ผลบวกของ{a}กับ{b}คือเท่าไร"),
        months=Fact("เดือนที่ถัดจากเดือน{x}ไป{n}เดือนคือ {y}", "เดือนที่ถัดจากเดือน{x}ไป{n}เดือนคือเดือนอะไร"),
        weekdays=Fact("วันที่ถัดจาก{x}ไป{n}วันคือ {y}", "วันที่ถัดจาก{x}ไป{n}วันคือวันอะไร"),
        currency=Fact("สกุลเงินของประเทศ{x}คือ {y}", "สกุลเงินของประเทศ{x}คืออะไร"),
        currency_user="ประเทศใดในประเทศเหล่านี้ใช้สกุลเงิน{y}",
        tongue=Fact("ภาษาราชการภาษาหนึ่งของประเทศ{x}คือ {y}", "ภาษาราชการภาษาหนึ่งของประเทศ{x}คือภาษาอะไร"),
        tongue_user="ประเทศใดในประเทศเหล่านี้มีภาษา{y}เป็นภาษาราชการ",
        largest=Fact(
            "จำนวนที่มากที่สุดในบรรดา{a} {b} และ{c}คือ {d}",
            "จำนวนที่มากที่สุดในบรรดา{a} {b} และ{c}คือจำนวนใด",
        ),
        space=" ",
    ),
    "bn": Wording(
        ask="প্রশ্ন: {question} উত্তর:",
        sums=Fact("{a} ও {b}, এই দুটি সংখ্যার যোগফল: {c}।", "{a} ও {b}, এই দুটি সংখ্যার যোগফল কত?"),
        months=Fact("{x} মাসের {n} মাস পরের মাস: {y}।", "{x} মাসের {n} মাস পরের মাস কোনটি?"),
        weekdays=Fact("{x} দিনটির {n} দিন পরের দিন: {y}।", "{x} দিনটির {n} দিন পরের দিন কোনটি?"),
        currency=Fact("{x} দেশটির মুদ্রা: {y}।", "{x} দেশটির মুদ্রা কী?"),
        currency_user="এই দেশগুলোর মধ্যে কোনটিতে {y} মুদ্রা ব্যবহৃত হয়?",
        tongue=Fact("{x} দেশটির একটি সরকারি ভাষা: {y}।", "{x} দেশটির একটি সরকারি ভাষা কী?"),
        tongue_user="এই দেশগুলোর মধ্যে কোনটিতে {y} একটি সরকারি ভাষা?",
        largest=Fact(
            "{a}, {b} ও {c}, এই তিনটি সংখ্যার মধ্যে সবচেয়ে বড়: {d}।",
            "{a}, {b} ও {c}, এই তিনটি সংখ্যার মধ্যে সবচেয়ে বড় কোনটি?",
        ),
        space=" ",
    ),
}
